"""Small files in the layouts of other tools, written as those tools write them."""

import json

import h5py
import numpy as np
import pytest

NODES = ("nose", "tail base", "left paw")


@pytest.fixture
def slp_file(tmp_path):
    """Writes an .slp project: rows (video, frame, track, is predicted), a position for each node of each row."""

    def write(rows, xy, *, tracks=("a", "b"), n_videos=1, version=1.2, visible=None, name="mouse.slp"):
        path = tmp_path / name
        order = [2, 0, 1]  # nodes are listed in another order than the skeleton's
        metadata = {
            "nodes": [{"name": NODES[at], "weight": 1.0} for at in order],
            "skeletons": [{"nodes": [{"id": order.index(at)} for at in range(len(NODES))]}],
        }
        keys = list(dict.fromkeys((video, frame) for video, frame, _, _ in rows))
        by_frame = sorted(range(len(rows)), key=lambda at: keys.index(rows[at][:2]))
        frames, instances, counts = [], [], {True: 0, False: 0}
        points = {True: [], False: []}
        for number, key in enumerate(keys):
            first = len(instances)
            for at in by_frame:
                if rows[at][:2] != key:
                    continue
                _, _, track, predicted = rows[at]
                n = counts[predicted]
                instances.append((len(instances), predicted, number, 0, track, -1, 1.0, n, n + len(NODES)))
                counts[predicted] += len(NODES)
                for node, (x, y) in enumerate(xy[at]):
                    seen = True if visible is None else visible[at][node]
                    points[predicted].append((x, y, seen, False, *((0.5 + node / 10,) if predicted else ())))
            frames.append((number, key[0], key[1], first, len(instances)))
        point = [("x", "<f8"), ("y", "<f8"), ("visible", "i1"), ("complete", "i1")]
        with h5py.File(path, "w") as content:
            metadata_group = content.create_group("metadata")
            metadata_group.attrs["format_id"] = version
            metadata_group.attrs["json"] = np.bytes_(json.dumps(metadata))
            content["tracks_json"] = np.array([json.dumps([0, each]) for each in tracks], dtype="S")
            videos = [json.dumps({"backend": {"filename": f"/data/video{at}.mp4"}}) for at in range(n_videos)]
            content["videos_json"] = np.array(videos, dtype="S")
            content["frames"] = np.array(
                frames,
                dtype=[
                    ("frame_id", "<u8"),
                    ("video", "<u4"),
                    ("frame_idx", "<u8"),
                    ("instance_id_start", "<u8"),
                    ("instance_id_end", "<u8"),
                ],
            )
            content["instances"] = np.array(instances, dtype=[
                ("instance_id", "<i8"), ("instance_type", "u1"), ("frame_id", "<u8"), ("skeleton", "<u4"),
                ("track", "<i4"), ("from_predicted", "<i8"), ("score", "<f4"), ("point_id_start", "<u8"),
                ("point_id_end", "<u8")])  # fmt: skip
            content["points"] = np.array(points[False], dtype=point)
            content["pred_points"] = np.array(points[True], dtype=[*point, ("score", "<f8")])
        return path

    return write


@pytest.fixture
def hdf5_file(tmp_path):
    """Writes an HDF5 file of data sets, with attributes of groups."""

    def write(datasets, *, attributes=None, name="mouse.h5"):
        path = tmp_path / name
        with h5py.File(path, "w") as content:
            for key, value in datasets.items():
                content[key] = value
            for key, values in (attributes or {}).items():
                content.require_group(key).attrs.update(values)
        return path

    return write


@pytest.fixture
def text_file(tmp_path):
    """Writes lines."""

    def write(lines, name="mouse.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return write
