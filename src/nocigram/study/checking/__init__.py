"""The tests of `nocigram check`, by what they look at: files, labels, poses, pictures."""
