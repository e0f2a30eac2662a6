"""Images before they meet a model (chapter 01): rotate, scale, shift, crop, flip, add noise, augment.

An image is a float array (H, W) or (H, W, C): row 0 is the top, column 0 the left. Divide images of bytes
(0 to 255) by 255 first. Every function returns a new array of the same dtype. What is not such an array
raises TypeError, another number of axes or a setting out of range ValueError.
"""

import math

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole

Image = Float[Array, "H W *C"]  # *C: with or without channels
Window = Float[Array, "h w *C"]


def rotate(image: Image, degrees: float, fill: float = 0.0) -> Image:
    """Turn an image counter-clockwise about its middle; the size stays, so corners are lost.

    Examples
    --------
    >>> print(rotate(np.array([[1.0, 2.0], [3.0, 4.0]]), 90.0).round(6))
    [[2. 4.]
     [1. 3.]]
    """
    return warp(image, degrees=degrees, fill=fill)


def scale(image: Image, factor: float, fill: float = 0.0) -> Image:
    """Enlarge (``factor`` > 1: the rim is lost) or shrink (the rim is filled); the size stays.

    Examples
    --------
    >>> print(scale(np.array([[0.0, 4.0, 0.0]] * 3), 2.0))  # twice as large: the middle pixel is wider
    [[2. 4. 2.]
     [2. 4. 2.]
     [2. 4. 2.]]
    """
    return warp(image, factor=factor, fill=fill)


def warp(
    image: Image,
    degrees: float = 0.0,
    factor: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
    fill: float = 0.0,
) -> Image:
    """Rotate, scale and shift in one go: the image is resampled, and so blurred, only once.

    We go backwards: for every pixel of the *result*, where in the image does it come from? (Going forwards
    would leave holes.) There we interpolate between the four neighbours.

    Parameters
    ----------
    image : (H, W) or (H, W, C)
    degrees : float
        Counter-clockwise angle.
    factor : float
        Enlargement, above 0.
    shift : pair of float
        How far down and to the right, in pixels of the result.
    fill : float
        What lies around the image.

    Raises
    ------
    ValueError
        When ``factor`` is not above 0, or a number not finite.
    TypeError
        When the image does not hold floats, or a setting is not a number.

    Examples
    --------
    >>> print(warp(np.array([[1.0, 2.0, 3.0]]), shift=(0.0, 1.0)))  # a pixel to the right
    [[0. 1. 2.]]
    >>> print(warp(np.array([[1.0, 2.0, 3.0]]), shift=(0.0, 0.5)))  # half a pixel: the mean of neighbours
    [[0.5 1.5 2.5]]
    """
    _check_image(image, floats=True)
    degrees, factor = number("degrees", degrees), number("factor", factor, above=0)
    if not isinstance(shift, tuple | list) or len(shift) != 2:
        raise TypeError(f"shift: expected a pair of numbers, (down, right), got {shift!r:.60}")
    shift = number("shift", shift[0]), number("shift", shift[1])
    height, width = image.shape[:2]
    middle = (height - 1) / 2, (width - 1) / 2
    rows = np.arange(height)[:, None] - middle[0] - shift[0]  # (H, 1), as seen from the new middle
    columns = np.arange(width)[None, :] - middle[1] - shift[1]  # (1, W)
    cos, sin = math.cos(math.radians(degrees)) / factor, math.sin(math.radians(degrees)) / factor
    return bilinear(
        image,
        middle[0] + cos * rows + sin * columns,  # (H, W)
        middle[1] - sin * rows + cos * columns,
        fill,
    )


def bilinear(
    image: Image, rows: Float[Array, "h w"], columns: Float[Array, "h w"], fill: float = 0.0
) -> Window:
    """Values of an image between its pixels: the mean of the four neighbours, weighted by nearness.

    ``fill`` surrounds the image without end, and is interpolated with like any other pixel.

    Examples
    --------
    >>> bilinear(np.array([[0.0, 10.0]]), np.zeros((1, 3)), np.array([[0.25, 1.0, 1.5]]))
    array([[ 2.5, 10. ,  5. ]])
    """
    _check_image(image, floats=True)
    expect("rows", rows, (None, None), "(h, w)")
    expect("columns", columns, rows.shape, "(h, w)")
    for name, places in (("rows", rows), ("columns", columns)):
        demand(not np.isnan(places).any(), name, "numbers", "NaN among them")
    fill = number("fill", fill)
    height, width = image.shape[:2]
    frame = np.pad(image, ((1, 1), (1, 1)) + ((0, 0),) * (image.ndim - 2), constant_values=fill)
    rows, columns = np.clip(rows, -1, height) + 1, np.clip(columns, -1, width) + 1  # places in the frame
    top, left = np.minimum(rows.astype(int), height), np.minimum(columns.astype(int), width)  # (h, w) each
    down, right = (rows - top).astype(image.dtype), (columns - left).astype(image.dtype)  # 0 to 1
    if image.ndim == 3:
        down, right = down[..., None], right[..., None]  # the same for all channels
    above = frame[top, left] * (1 - right) + frame[top, left + 1] * right  # (h, w, *C)
    below = frame[top + 1, left] * (1 - right) + frame[top + 1, left + 1] * right
    return above * (1 - down) + below * down


def _check_image(image: Image, floats: bool = False) -> None:
    ndim = getattr(image, "ndim", None)
    expect("image", image, (None,) * (3 if ndim == 3 else 2), "(H, W) or (H, W, C)")
    if floats and not np.issubdtype(image.dtype, np.floating):
        raise TypeError(f"image: expected floats, got {image.dtype}; divide one of bytes by 255")


def crop(image: Image, top: int, left: int, height: int, width: int) -> Window:
    """Cut out a window; raises ValueError when it is not inside the image.

    Examples
    --------
    >>> crop(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), top=0, left=1, height=2, width=2)
    array([[2., 3.],
           [5., 6.]])
    """
    _check_image(image)
    top, left = whole("top", top), whole("left", left)
    height, width = whole("height", height), whole("width", width)
    if min(top, left, height, width) < 0 or top + height > image.shape[0] or left + width > image.shape[1]:
        raise ValueError(f"a {height} x {width} window at ({top}, {left}) is not inside {image.shape[:2]}")
    return image[top : top + height, left : left + width].copy()


def random_crop(image: Image, height: int, width: int, rng: np.random.Generator) -> Window:
    """Cut out a window at a random place.

    Examples
    --------
    >>> random_crop(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 1, 2, np.random.default_rng(0))
    array([[5., 6.]])
    """
    generator(rng)
    _check_image(image)
    height, width = whole("height", height), whole("width", width)
    top = rng.integers(max(0, image.shape[0] - height) + 1)
    left = rng.integers(max(0, image.shape[1] - width) + 1)
    return crop(image, int(top), int(left), height, width)


def flip(image: Image, direction: str = "horizontal") -> Image:
    """Mirror an image: "horizontal" swaps left and right, "vertical" top and bottom.

    Examples
    --------
    >>> flip(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 1.],
           [4., 3.]])
    """
    if direction not in ("horizontal", "vertical"):
        raise ValueError(f'direction: expected "horizontal" or "vertical", got {direction!r:.60}')
    _check_image(image)
    return np.flip(image, 1 if direction == "horizontal" else 0).copy()


def add_noise(image: Image, std: float, rng: np.random.Generator) -> Image:
    """Add independent Gaussian noise of that standard deviation, from 0 up, to every value.

    Nothing is clipped: values may leave [0, 1].

    Examples
    --------
    >>> print(add_noise(np.array([[0.0, 0.5, 1.0]]), 0.1, np.random.default_rng(0)).round(2))
    [[0.01 0.49 1.06]]
    """
    generator(rng)
    _check_image(image, floats=True)  # in bytes the noise would lose its fractions
    std = number("std", std, 0)
    return image + std * rng.standard_normal(image.shape).astype(image.dtype)


def augment(
    image: Image,
    rng: np.random.Generator,
    degrees: float = 10.0,
    zoom: float = 0.1,
    shift: float = 0.5,
    noise: float = 0.02,
    mirror: bool = False,
) -> Image:
    """A random variant of an image that still shows the same thing.

    What may be done without changing the label depends on the data: a mirrored cat is a cat, a mirrored 2
    is not a digit, and a 6 turned by 180 degrees is a 9.

    Parameters
    ----------
    image : (H, W) or (H, W, C)
    rng : numpy.random.Generator
    degrees, zoom, shift : float
        Largest angle, change of scale (0.1: from 1 / 1.1 to 1.1 times) and shift in pixels; each drawn
        uniformly.
    noise : float
        Standard deviation of the noise.
    mirror : bool
        Whether to flip left and right half of the time.

    Raises
    ------
    ValueError
        For a number below 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> print(augment(np.eye(3), rng, noise=0.0).round(1))
    [[0.5 0.2 0. ]
     [0.2 0.5 0.3]
     [0.  0.2 0.2]]
    >>> print(augment(np.eye(3), rng, noise=0.0).round(1))  # another one
    [[0.3 0.5 0.1]
     [0.  0.5 0.4]
     [0.  0.  0.7]]
    """
    generator(rng)
    degrees, zoom = number("degrees", degrees, 0), number("zoom", zoom, 0)
    shift, noise = number("shift", shift, 0), number("noise", noise, 0)
    out = warp(
        image,
        degrees=rng.uniform(-degrees, degrees),
        factor=(1 + zoom) ** rng.uniform(-1, 1),
        shift=(rng.uniform(-shift, shift), rng.uniform(-shift, shift)),
    )
    if mirror and rng.random() < 0.5:
        out = flip(out)
    return add_noise(out, noise, rng)
