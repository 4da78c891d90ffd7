import pytest
import timm
import torch
from sklearn.datasets import load_sample_image

from nocigram.models.backbones import build_backbone
from nocigram.models.backbones.embedded import EMBEDDED_TIMM_NAME, REPEATS, as_timm, read_embedded_file, timm_name

FLOWER = ("flower.jpg", (985,))
"""A dahlia; ImageNet's nearest class is daisy."""
PALACE = ("china.jpg", (698, 442))
"""A pavilion of the Summer Palace; ImageNet has palace and bell cote."""


@pytest.fixture(scope="module")
def tensors():
    return read_embedded_file()


@pytest.fixture(scope="module")
def classifier(tensors):
    model = timm.create_model(EMBEDDED_TIMM_NAME)
    model.load_state_dict(as_timm(tensors), strict=True)
    return model.eval()


def test_every_tensor_of_the_file_is_renamed_to_one_of_timms_of_the_same_shape(tensors):
    expected = {name: tensor.shape for name, tensor in timm.create_model(EMBEDDED_TIMM_NAME).state_dict().items()}
    renamed = [timm_name(name) for name in tensors]

    assert len(set(renamed)) == len(renamed) == 296
    assert {timm_name(name): tensor.shape for name, tensor in tensors.items()} == expected


def test_names_and_order_of_the_file_agree_though_neither_knows_of_the_other(tensors):
    assert [timm_name(name) for name in tensors] == list(timm.create_model(EMBEDDED_TIMM_NAME).state_dict())


def test_stages_have_as_many_blocks_as_timms_own():
    assert tuple(len(stage) for stage in timm.create_model(EMBEDDED_TIMM_NAME).blocks) == REPEATS


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("_blocks.16._bn1.weight", id="a block too many"),
        pytest.param("_blocks.0._expand_conv.weight", id="an expansion in the block that has none"),
        pytest.param("_swish.weight", id="an unknown layer"),
    ],
)
def test_a_name_that_the_network_lacks_is_refused(name):
    with pytest.raises(KeyError):
        timm_name(name)


@torch.inference_mode()
def share_of_what_is_there(model, photo, *, shift_px=0):
    """Probability that the model gives to what one of scikit-learn's photos shows, its middle at 224 px."""
    file_name, shown = photo
    pixels = torch.from_numpy(load_sample_image(file_name).copy()).permute(2, 0, 1)[None, :, :, 100:527].float() / 255
    small = torch.nn.functional.interpolate(pixels, size=(224, 224), mode="bilinear", antialias=True)
    probabilities = model(((small - 0.5) / 0.5).roll(shift_px, dims=-1)).softmax(-1)[0]
    return float(probabilities[list(shown)].sum()), int(probabilities.argmax())


@pytest.mark.parametrize("photo", [FLOWER, PALACE], ids=["a flower", "a palace"])
@pytest.mark.parametrize("shift_px", [0, 7])
def test_it_names_what_a_photo_shows_wherever_it_is(photo, shift_px, classifier):
    share, first = share_of_what_is_there(classifier, photo, shift_px=shift_px)

    assert first in photo[1]
    assert share > 0.15  # chance is 0.001 per class


def test_exchanging_two_tensors_of_one_shape_spoils_what_it_sees(tensors):
    exchanged = as_timm(tensors)
    first, second = "blocks.1.1.conv_pw.weight", "blocks.2.0.conv_pw.weight"
    exchanged[first], exchanged[second] = exchanged[second], exchanged[first]
    model = timm.create_model(EMBEDDED_TIMM_NAME)
    model.load_state_dict(exchanged, strict=True)

    assert max(share_of_what_is_there(model.eval(), photo)[0] for photo in (FLOWER, PALACE)) < 0.05


@torch.inference_mode()
def test_the_backbone_gives_the_classifiers_own_features(classifier):
    backbone = build_backbone("vit_2d", encoder_name="embedded", encoder_weights="pretrained", img_size=96).backbone
    frames = torch.rand(1, 2, 3, 96, 96)
    expected = classifier.forward_head(classifier.forward_features((frames[0] - 0.5) / 0.5), pre_logits=True)

    assert (backbone.mean, backbone.std, backbone.feature_dim) == ((0.5,) * 3, (0.5,) * 3, 1280)
    torch.testing.assert_close(backbone.eval()(frames)[0], expected, rtol=1e-4, atol=1e-4)
