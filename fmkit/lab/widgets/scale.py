"""Chapter 15's planner: a training run from a few numbers. It needs a running kernel.

`fmkit.lab.plots.scale.beside` is the same on paper, for the models whose makers have reported.
"""

from collections.abc import Mapping

import ipywidgets

from fmkit.lab.plots.scale import hours
from fmkit.lab.widgets import explore, follow
from fmkit.parallel import bubble, pipeline_schedule, pipeline_times
from fmkit.scaling import plan

DEVICES = {  # by the data sheets: operations a second in 16 bits, bytes of memory, watts
    "A100": (312e12, 80e9, 400.0),
    "H100": (989e12, 80e9, 700.0),
    "RTX 4090": (165e12, 24e9, 450.0),
    "laptop, 2 cores": (5e10, 8e9, 30.0),
}


def planner(presets: Mapping[str, tuple[float, float, str, int]]) -> ipywidgets.VBox:
    """Parameters, tokens, devices, bandwidth: days, memory, energy, money.

    Parameters
    ----------
    presets : for each name, (parameters, tokens, name of a device, devices)
        What the sliders are set to.
    """
    wide = {"layout": {"width": "460px"}, "style": {"description_width": "130px"}}
    which = ipywidgets.Dropdown(options=list(presets), description="begin with", **wide)
    parameters = ipywidgets.FloatLogSlider(min=6, max=13, step=0.05, description="parameters", **wide)
    tokens = ipywidgets.FloatLogSlider(min=6, max=14, step=0.05, description="tokens", **wide)
    device = ipywidgets.Dropdown(options=list(DEVICES), description="device", **wide)
    devices = ipywidgets.FloatLogSlider(min=0, max=5, step=0.05, description="how many", **wide)
    used = ipywidgets.FloatSlider(value=0.4, min=0.05, max=0.7, step=0.01, description="utilisation", **wide)
    sends = ipywidgets.FloatLogSlider(
        value=25e9, min=7, max=12, step=0.1, description="bandwidth, bytes/s", **wide
    )
    shown = ipywidgets.HTML()

    def preset():
        parameters.value, tokens.value, device.value, devices.value = presets[which.value]

    def redraw():
        speed, memory, watts = DEVICES[device.value]
        n = max(1, round(devices.value))
        found = plan(parameters.value, tokens.value, n, speed, used.value, watts, bandwidth=sends.value)
        need = found.bytes_a_device
        fits = "fits" if need < memory else f"<b>does not fit</b> into {memory / 1e9:.0f}"
        lines = {
            "operations": f"{found.flops:.2g}",
            "days": f"{found.days:,.1f}, {found.device_hours:,.0f} device hours",
            "gigabytes a device": f"{need / 1e9:,.1f} (ZeRO-1, without activations): {fits}",
            "energy": f"{found.megawatt_hours * 1000:,.0f} kWh, {found.tonnes_co2:,.3g} t CO₂ at 400 g a kWh",
            "money": f"{found.dollars:,.0f} dollars at 2 an hour",
            "one sum of the gradient": f"{found.seconds_to_share:,.2g} s on the wire",
        }
        rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in lines.items())
        shown.value = f"<table>{rows}</table>"

    preset()
    which.observe(lambda _: preset(), names="value")
    sliders = parameters, tokens, device, devices, used, sends
    follow(redraw, *sliders)
    return ipywidgets.VBox([which, *sliders, shown], layout={"align_items": "flex-start"})


def pipelines() -> ipywidgets.VBox:
    """Stages and micro-batches: who waits how long."""

    def draw(ax, stages, micro):
        times = pipeline_times(pipeline_schedule(stages, micro))
        hours(times, title=f"one forward, one backward: {bubble(times):.0%} waiting", ax=ax)

    return explore(draw, (6.4, 2.8), stages=(4, 1, 6, 1), micro=(4, 1, 12, 1))
