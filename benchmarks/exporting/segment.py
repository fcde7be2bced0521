"""Segment a scan with an exported network: numpy, and onnxruntime or openvino, are all it needs.

    python segment.py unet.onnx t1=A_t1.nii.gz flair=A_flair.nii.gz t1ce=A_t1ce.nii.gz --out M.nii

Channels go by name, in any order; a bare FILE is one of all channels (X, Y, Z, C) in the network's
order. The mask lies on the first file's own grid. This file stands alone: copy it to where it runs.
"""

# ruff: noqa: B905 - lengths are those of axes
import argparse
import gzip
import json
import math
import struct
import sys
from itertools import product

import numpy as np

DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"}
DTYPES.update({256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"})
LPS = ((0, -1), (1, -1), (2, 1))  # axes to the left, the back and the head, in RAS
NEAR = 0.1  # of a voxel's side: a volume that differs by less is taken as it is
AS_IT_IS = (1.0, 1.0, 1.0)
LARGEST = 1 << 28  # voxels of a resampled scan


class Refused(Exception):  # noqa: N818 - it is an answer
    """What the user can mend, in one sentence."""


# --- NIfTI ---------------------------------------------------------------------------------------


def read_nifti(path):
    """Return the header's bytes, the (X, Y, Z[, C]) voxels, and which axis runs which way."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise Refused(f"{path}: can't be read ({error}); copy it again.") from error
    if len(raw) < 352 or raw[344:347] != b"n+1":
        raise Refused(f"{path}: expected a NIfTI-1 file (.nii, .nii.gz); convert the scan to it.")
    order = "<" if struct.unpack("<i", raw[:4])[0] == 348 else ">"
    dim = struct.unpack(order + "8h", raw[40:56])
    shape = list(dim[1 : 1 + dim[0]])
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    code = struct.unpack(order + "h", raw[70:72])[0]
    if code not in DTYPES or len(shape) not in (3, 4) or min(shape) < 1:
        raise Refused(f"{path}: holds no volume of numbers; export the scan again.")
    offset, slope, shift = struct.unpack(order + "3f", raw[108:120])
    dtype = np.dtype(order + DTYPES[code])
    if len(raw) < int(offset) + math.prod(shape) * dtype.itemsize:
        raise Refused(f"{path}: is truncated; copy or download it again.")
    voxels = np.frombuffer(raw, dtype, math.prod(shape), int(offset)).reshape(shape, order="F")
    voxels = voxels.astype(dtype.newbyteorder("="))
    if slope not in (0, 1) or (slope and shift):
        voxels = voxels * np.float32(slope) + np.float32(shift)
    if voxels.dtype not in (np.uint8, np.int16):
        voxels = voxels.astype(np.float32)
        if not np.isfinite(voxels).all():
            raise Refused(f"{path}: has voxels that are NaN or infinite; mend the file.")
    return (order, raw[:352]), voxels, orientation(order, raw)


def orientation(order, raw):
    """Return (axis in RAS, sign) for each axis of a file; None where it states none."""
    affine = affine_of(order, raw)
    if affine is None:
        return None
    zooms = np.sqrt((affine**2).sum(axis=0))
    left, _, right = np.linalg.svd(affine / np.where(zooms == 0, 1, zooms))
    turned = left @ right
    found = []
    for axis in range(3):
        column = turned[:, axis]
        at = int(np.abs(column).argmax())
        found.append((at, 1 if column[at] >= 0 else -1))
        turned[at] = 0
    return tuple(found)


def affine_of(order, raw):
    """Return the axes of a file in RAS, as long as a voxel's sides; None where it states none."""
    qform, sform = struct.unpack(order + "2h", raw[252:256])
    if sform > 0:
        return np.array(struct.unpack(order + "12f", raw[280:328])).reshape(3, 4)[:, :3]
    return rotation(order, raw) if qform > 0 else None


def spacing_of(header, stated):
    """Return the mm of a voxel along slices, rows and columns of LPS; None where none is stated."""
    order, raw = header
    affine = affine_of(order, raw)
    sides = list(struct.unpack(order + "8f", raw[76:108])[1:4])
    if affine is not None:
        sides = [float(side) for side in np.linalg.norm(affine, axis=0)]
    if raw[123] & 7 in (1, 3) or not all(0 < side < math.inf for side in sides):
        return None
    if stated is not None:
        sides = [next(s for s, (at, _) in zip(sides, stated) if at == axis) for axis, _ in LPS]
    return tuple(sides[::-1])


def rotation(order, raw):
    """Return the rotation, with voxel sizes, that a header's quaternion stands for."""
    b, c, d = struct.unpack(order + "3f", raw[256:268])
    pixdim = struct.unpack(order + "8f", raw[76:108])
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    sizes = np.array(pixdim[1:4]) * (1, 1, -1 if pixdim[0] < 0 else 1)
    matrix = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
    ]
    return np.array(matrix) * sizes


def to_lps(voxels, stated):
    """Turn (X, Y, Z, ...) voxels so that their axes are those of LPS."""
    if stated is None:
        return voxels
    order = [next(i for i, (axis, _) in enumerate(stated) if axis == goal) for goal, _ in LPS]
    for axis, sign in LPS:
        place = order[axis]
        voxels = voxels if stated[place][1] == sign else np.flip(voxels, place)
    return voxels.transpose(*order, *range(3, voxels.ndim))


def from_lps(voxels, stated):
    """Undo `to_lps`."""
    if stated is None:
        return voxels
    voxels = voxels.transpose([axis for axis, _ in stated])
    for place, (axis, sign) in enumerate(stated):
        voxels = voxels if sign == LPS[axis][1] else np.flip(voxels, place)
    return voxels


def write_nifti(path, header, mask):
    """Write a uint8 mask under the scan's own header."""
    order, raw = header[0], bytearray(header[1])
    raw[40:56] = struct.pack(order + "8h", 3, *mask.shape, 1, 1, 1, 1)
    raw[70:74] = struct.pack(order + "2h", 2, 8)
    raw[108:120] = struct.pack(order + "3f", 352, 1, 0)
    raw[124:132] = struct.pack(order + "2f", 0, 0)
    raw[148:228] = b"GlioZoo".ljust(80, b"\0")
    raw[348:352] = bytes(4)
    content = bytes(raw) + mask.astype(np.uint8).tobytes(order="F")
    with open(path, "wb") as file:
        file.write(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)


# --- preparation: a scan's (D, H, W) channels onto the network's grid, and answers back ----------


def background(channel):
    """Return the value around the brain: 0, unless all corners agree on a commoner one."""
    corners = channel[:: max(1, len(channel) - 1)]
    corners = corners[:, :: max(1, channel.shape[1] - 1), :: max(1, channel.shape[2] - 1)]
    first = corners.flat[0]
    if first == 0 or (corners != first).any():
        return 0
    return first if np.count_nonzero(channel == first) > np.count_nonzero(channel == 0) else 0


def normalised(channel, name):
    """Return a channel as float32 (uint8 for div255), as its network was taught."""
    if name == "none":
        return channel.astype(np.float32)
    if name == "div255" and channel.dtype == np.uint8:
        return channel
    if name == "minmax_slice":
        values = channel.astype(np.float32)
        low = values.min((1, 2), keepdims=True)
        span = values.max((1, 2), keepdims=True) - low
        values -= low
        return np.divide(values, span, out=values, where=span > 0)
    if name != "zscore_brain":
        raise Refused(f"The normalisation {name} of this network is not known here; use gliozoo.")
    mask = channel != background(channel)
    brain = channel[mask].astype(np.float64)
    result = np.zeros(channel.shape, np.float32)
    if brain.size and brain.max() > brain.min():
        result[mask] = (brain - brain.mean()) / brain.std()
    return result


def area(source, target):
    """Return the matrix of area means from `source` pixels to fewer, as OpenCV takes them."""
    matrix, scale = np.zeros((target, source)), source / target
    for row in range(target):
        start = row * scale
        cell = min(scale, source - start)
        first, last = math.ceil(start), min(math.floor(start + scale), source - 1)
        first = min(first, last)
        if first - start > 1e-3:
            matrix[row, first - 1] = (first - start) / cell
        matrix[row, first:last] = 1 / cell
        if start + scale - last > 1e-3:
            matrix[row, last] = min(min(start + scale - last, 1), cell) / cell
    return matrix


def linear(source, target):
    """Return the matrix of linear interpolation from `source` pixels to others."""
    matrix, scale = np.zeros((target, source)), source / target
    for row in range(target):
        place = (row + 0.5) * scale - 0.5
        first = math.floor(place)
        share = np.float32(place - first)
        if not 0 <= first < source - 1:
            first, share = min(max(first, 0), source - 1), np.float32(0)
        matrix[row, first] += 1 - share
        matrix[row, min(first + 1, source - 1)] += share
    return matrix


def resized(array, sides):
    """Resize (D, H, W): area means when shrinking, linear when growing.

    Slices that shrink or grow along both sides are resized at once, all else side by side, those
    that shrink first.
    """
    changes = [axis for axis in range(3) if array.shape[axis] != sides[axis]]
    shrinks = [sides[axis] < array.shape[axis] for axis in range(3)]
    at_once = changes == [1, 2] and shrinks[1] == shrinks[2]
    kind, found = array.dtype, array
    for axis in sorted(changes, key=lambda axis: sides[axis] / array.shape[axis]):
        matrix = (area if shrinks[axis] else linear)(array.shape[axis], sides[axis])
        found = np.moveaxis(np.tensordot(matrix, found.astype(np.float64), (1, axis)), 0, axis)
        found = found if at_once else as_kind(found, kind)
    return as_kind(found, kind)


def as_kind(array, kind):
    """Return numbers as bytes, rounded, or as float32."""
    return np.rint(array).astype(np.uint8) if kind == np.uint8 else array.astype(np.float32)


def centred(length, side):
    """Return the range of `side` voxels around the middle of `length`."""
    start = -((side - length) // 2)
    return start, start + side


def resampled_from(spacing, scan):
    """Return the sides of a scan's voxels as text, if they are brought to others; else None."""
    if scan["rank"] == 2 or ratio_of(spacing, scan) == AS_IT_IS:
        return None
    return " x ".join(f"{side:.3g}" for side in spacing) + " mm"


def ratio_of(spacing, scan):
    """Return how many voxels of the network's size go into one of the scan's, a side."""
    wanted = scan.get("voxels")
    if not wanted:
        return AS_IT_IS
    if spacing is None:
        raise Refused("The files state no voxel size in mm; write the true pixdim and sform.")
    if all(abs(own - one) < NEAR * one for own, one in zip(spacing, wanted)):
        return AS_IT_IS
    return tuple(own / one for own, one in zip(spacing, wanted))


def box_of(channels, scan, ratio=AS_IT_IS):
    """Return the part of a scan's grid that the network sees, and the grid it sees it on."""
    shape, size = channels[0].shape, scan["size"]
    if scan["rank"] == 2:
        scale = max(shape[1] / size[0], shape[2] / size[1])
        sides = max(shape[1], round(size[0] * scale)), max(shape[2], round(size[1] * scale))
        return ((0, shape[0]), *map(centred, shape[1:], sides)), (shape[0], *size)
    brain = np.logical_or.reduce([channel != background(channel) for channel in channels])
    box = []
    for axis, (side, length, times) in enumerate(zip(size, shape, ratio)):
        rest = tuple({0, 1, 2} - {axis})
        found = np.flatnonzero(brain.any(axis=rest))
        start, stop = (int(found[0]), int(found[-1]) + 1) if found.size else (0, length)
        wide = max(math.ceil(side / times), stop - start)
        if wide >= length:
            box.append(centred(length, wide))
        else:
            start = min(max(0, start - (wide - (stop - start)) // 2), length - wide)
            box.append((start, start + wide))
    seen = [
        max(side, round((stop - start) * times))
        for side, (start, stop), times in zip(size, box, ratio)
    ]
    if max(math.prod(seen), math.prod(stop - start for start, stop in box)) > LARGEST:
        raise Refused("The voxel size that the files state makes a scan too large to resample.")
    return tuple(box), tuple(seen)


def overlap(shape, box):
    """Return where a box lies in a grid, and where the grid lies in the box."""
    pairs = [(max(0, lo), min(n, hi), lo) for n, (lo, hi) in zip(shape, box)]
    return (
        tuple(slice(lo, hi) for lo, hi, _ in pairs),
        tuple(slice(lo - start, hi - start) for lo, hi, start in pairs),
    )


def prepared(channels, scan, spacing=None):
    """Return (D, h, w, C) float32 images, and the box that they were taken from."""
    box, shape = box_of(channels, scan, ratio_of(spacing, scan))
    inside, target = overlap(channels[0].shape, box)
    planes = []
    for channel in channels:
        values = normalised(channel, scan["normalisation"])
        taken = np.zeros([stop - start for start, stop in box], values.dtype)
        taken[target] = values[inside]
        planes.append(rounded(resized(taken, shape)))
    images = np.stack(planes, axis=-1)
    if scan["value_range"] == "unit" and scan["normalisation"] == "zscore_brain":
        images = np.clip(images / np.float32(8) + np.float32(0.5), 0, 1)
    return images, box


def rounded(plane):
    """Round as prepared data are rounded: 16 bits a channel."""
    if plane.dtype == np.uint8:
        return plane * np.float32(1 / 255)
    largest = max(float(plane.max()), -float(plane.min()))
    scale = np.float32(largest / 32767 if largest > 1e-30 else 1.0)
    return np.rint(plane / scale).astype(np.int16) * scale


def restored(answer, shape, box, scan):
    """Return (D, H, W, K) probabilities on the scan's own grid."""
    sides = [stop - start for start, stop in box]
    inside, source = overlap(shape, box)
    native = np.zeros((*shape, answer.shape[-1]), np.float32)
    native[..., 0] = 1 if scan["exclusive"] else 0
    for place in range(answer.shape[-1]):
        native[(*inside, place)] = resized(answer[..., place], sides)[source]
    return np.clip(native, 0, 1)


# --- the network over a scan ---------------------------------------------------------------------


def predicted(network, images, scan):
    """Return the network's (D, h, w, K) answer: slices in batches, volumes in windows."""
    size = scan["batch_size"]
    if scan["rank"] == 2:
        starts = range(0, len(images), size)
        return np.concatenate([network(images[start : start + size]) for start in starts])
    lacking = [max(0, side - n) for side, n in zip(scan["size"], images.shape)]
    before = [missing // 2 for missing in lacking]
    rims = [(start, missing - start) for start, missing in zip(before, lacking)]
    padded = np.pad(images, [*rims, (0, 0)])
    total, weights = None, weight_map(scan)
    count = np.zeros((*padded.shape[:-1], 1), np.float32)
    for corner in product(*[starts_of(n, s, scan) for n, s in zip(padded.shape, scan["size"])]):
        box = tuple(slice(at, at + side) for at, side in zip(corner, scan["size"]))
        answer = network(padded[box][None])[0]
        if total is None:
            total = np.zeros((*padded.shape[:-1], answer.shape[-1]), np.float32)
        total[box] += answer * weights
        count[box] += weights
    inside = tuple(slice(start, start + side) for start, side in zip(before, images.shape[:-1]))
    return (total / count)[inside]


def starts_of(side, size, scan):
    """Return where windows start along a side."""
    last = side - size
    return [*range(0, last, max(1, int(size * (1 - scan["overlap"])))), last]


def weight_map(scan):
    """Return how much each voxel of a window counts."""
    weights = np.ones((*scan["size"], 1), np.float32)
    if scan["blending"] == "gaussian":
        for axis, size in enumerate(scan["size"]):
            distance = np.arange(size, dtype=np.float32) - (size - 1) / 2
            bell = np.exp(-0.5 * (distance / (0.125 * size)) ** 2)
            weights *= bell.reshape([-1 if place == axis else 1 for place in range(4)])
        np.maximum(weights, 1e-3, out=weights)
    return weights


def opened(path, precision="f32"):
    """Return the network as a function, and what its file says of a scan."""
    if path.endswith(".onnx"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        told = session.get_modelmeta().custom_metadata_map.get("gliozoo", "null")
        return (lambda batch: session.run(None, {name: batch})[0]), told
    if path.endswith(".xml"):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        told = model.get_rt_info(["gliozoo"]).astype(str) if model.has_rt_info(["gliozoo"]) else ""
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        return (lambda batch: compiled(batch)[0]), told or "null"
    raise Refused(f"{path}: expected a network as .onnx or .xml.")


def labelled(found, scan):
    """Return the label values of a mask as its data set writes them."""
    if scan["exclusive"]:
        own = np.array([values[0] for values in scan["classes"]])[found.argmax(axis=-1)]
    elif found.shape[-1] == 1:
        own = (found[..., 0] >= scan["threshold"]).astype(int)
    else:
        raise Refused("This network answers with regions that overlap; use gliozoo predict.")
    if scan.get("smallest"):
        own = own * large(own > 0, scan["smallest"])
    return np.array(scan["written"], np.uint8)[own]


def large(lesion, share):
    """Keep the components, of 26 neighbours, with at least this share of the largest's voxels."""
    padded = np.pad(lesion, 1)
    places = np.flatnonzero(padded)
    if not places.size:
        return lesion
    rows, columns = padded.shape[1:]
    steps = [np.dot(step, (rows * columns, columns, 1)) for step in product((-1, 0, 1), repeat=3)]
    pairs = []
    for step in steps[14:]:  # the other half of the neighbours is seen from there
        at = np.minimum(np.searchsorted(places, places + step), places.size - 1)
        touching = np.flatnonzero(places[at] == places + step)
        pairs.append((touching, at[touching]))
    ones, others = np.concatenate(pairs, axis=1)
    roots, before = np.arange(places.size), None
    while before is None or (roots != before).any():
        before = roots.copy()
        lower = np.minimum(roots[ones], roots[others])
        np.minimum.at(roots, before[ones], lower)
        np.minimum.at(roots, before[others], lower)
        roots = roots[roots]
    sizes = np.bincount(roots)
    kept = np.zeros(padded.size, bool)
    kept[places] = (sizes >= share * sizes.max())[roots]
    return kept.reshape(padded.shape)[1:-1, 1:-1, 1:-1]


def read_scan(files, names):
    """Return the first header, (D, H, W) channels in the network's order, and the orientation."""
    named = dict(file.split("=", 1) for file in files if "=" in file)
    if len(named) < len(files):
        header, voxels, stated = read_nifti(files[0])
        voxels = voxels if voxels.ndim == 4 else voxels[..., None]
        if voxels.shape[3] != len(names) or len(files) > 1:
            raise Refused(f"Expected one file of {len(names)} channels, or NAME=FILE for each.")
        parts = [(header, voxels[..., place], stated) for place in range(len(names))]
    else:
        missing = [name for name in names if name not in named]
        if missing:
            raise Refused(f"The network asks for {', '.join(names)}; add {', '.join(missing)}.")
        parts = [read_nifti(named[name]) for name in names]
    if len({(part[1].shape, part[2]) for part in parts}) > 1:
        raise Refused("The files have different grids; resample them onto one.")
    kinds = {part[1].dtype for part in parts}
    turned = [to_lps(part[1], part[2]).transpose(2, 1, 0) for part in parts]
    channels = [one if len(kinds) == 1 else one.astype(np.float32) for one in turned]
    return parts[0][0], channels, parts[0][2]


def segment(model, files, out, precision="f32"):
    """Write the mask of a scan, and return the voxels of each label in it."""
    if precision != "f32" and not model.endswith(".xml"):
        raise Refused("Only openvino computes in bf16: export with --format openvino.")
    network, told = opened(model, precision)
    scan = (json.loads(told) or {}).get("scan")
    if not scan:
        raise Refused(f"{model}: does not say how scans are prepared for it; export a trained run.")
    header, channels, stated = read_scan(files, scan["channels"])
    spacing = spacing_of(header, stated)
    images, box = prepared(channels, scan, spacing)
    if own := resampled_from(spacing, scan):
        print(f"segment.py: resampled from {own}", file=sys.stderr)
    found = restored(predicted(network, images, scan), channels[0].shape, box, scan)
    mask = labelled(found, scan)
    write_nifti(out, header, from_lps(mask.transpose(2, 1, 0), stated))
    return {int(value): int(count) for value, count in zip(*np.unique(mask, return_counts=True))}


def main(argv=None):
    """Segment one scan from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a file of gliozoo export: .onnx or .xml")
    parser.add_argument("files", nargs="+", metavar="NAME=FILE", help="a NIfTI file a channel")
    parser.add_argument("--out", required=True, help="the mask to write, .nii or .nii.gz")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32", help="of openvino")
    asked = parser.parse_args(argv)
    try:
        print(json.dumps(segment(asked.model, asked.files, asked.out, asked.precision)))
    except (Refused, OSError) as error:
        print(f"segment.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
