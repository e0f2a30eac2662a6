"""The doctor finds what is wrong, says how to fix it, and takes only what is broken for broken."""

import os
import subprocess
import sys
from importlib import metadata

import pytest
from helpers.grading import needs_sandbox

from fmkit.command import doctor
from fmkit.command.doctor import BROKEN, OK, OPTIONAL, Finding
from fmkit.data.assets import ASSETS


def by_topic(check):
    return {finding.topic: finding for finding in check()}


def requires(monkeypatch, *lines):
    monkeypatch.setattr(metadata, "requires", lambda name: list(lines))


def test_packages_as_required(monkeypatch):
    requires(monkeypatch, "numpy>=2", "click", 'pytest>=8; extra == "test"')
    found = by_topic(doctor.packages)
    assert [f.status for f in found.values()] == [OK] * 4
    assert (
        "all 2 as required" in found["packages"].text
        and f"numpy {metadata.version('numpy')}" in found["packages"].text
    )


def test_a_missing_and_an_old_package(monkeypatch):
    requires(monkeypatch, "numpy>=99", "nosuchpackage>=1", "click")
    found = by_topic(doctor.packages)["packages"]
    assert found.status == BROKEN
    assert (
        f"numpy {metadata.version('numpy')} is not >=99" in found.text
        and "nosuchpackage is missing" in found.text
    )
    assert found.fix.startswith(f"{sys.executable} -m pip install -e ")


def test_a_missing_extra_is_only_optional(monkeypatch):
    requires(monkeypatch, "numpy", 'nosuchpackage; extra == "course"')
    found = by_topic(doctor.packages)
    assert found["packages"].status == OK
    assert found["[course]"].status == OPTIONAL and "[course]'" in found["[course]"].fix


def test_a_kit_that_is_not_installed(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert by_topic(doctor.packages)["packages"].status == BROKEN


def test_missing_assets_name_their_command(monkeypatch, tmp_path):
    monkeypatch.setenv("FMKIT_HOME", str(tmp_path))
    found = by_topic(doctor.data)
    assert list(found) == list(ASSETS)
    assert all(f.fix.endswith(f"fmkit fetch {name}") for name, f in found.items())
    first = {name for name, asset in ASSETS.items() if asset.part == 1}
    assert {name for name, f in found.items() if f.status == BROKEN} == first  # it works without part two's
    assert {f.status for name, f in found.items() if name not in first} == {OPTIONAL}
    monkeypatch.setattr(doctor.assets, "problem", lambda asset, full: doctor.assets.CLOSED)
    assert by_topic(doctor.data)["names"].fix == f"chmod -R a+rX {tmp_path}"


def test_torch_names_its_devices(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor, "has_gpu", lambda: False)
    assert by_topic(doctor.torch)["torch"].text.startswith("cpu")
    monkeypatch.setattr(doctor, "has_gpu", lambda: True)  # a GPU, and a torch that cannot use it
    found = by_topic(doctor.torch)["torch"]
    assert found.status == OPTIONAL and found.fix
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: "Some GPU")
    assert "cuda (Some GPU)" in by_topic(doctor.torch)["torch"].text


def test_a_gpu_is_found_by_nvidias_tool(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not doctor.has_gpu()
    write_program(tmp_path / "nvidia-smi", "echo 'GPU 0: Some GPU'")
    assert doctor.has_gpu()
    write_program(tmp_path / "nvidia-smi", "echo 'no driver'; exit 9")
    assert not doctor.has_gpu()


def write_program(path, shell):
    path.write_text(f"#!/bin/sh\n{shell}\n")
    path.chmod(0o755)


def test_the_kernel(monkeypatch):
    from jupyter_client import kernelspec

    assert by_topic(doctor.kernel)["kernel"].status == OK

    def absent(self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", absent)
    found = by_topic(doctor.kernel)["kernel"]
    assert found.status == BROKEN and "ipykernel install" in found.fix

    spec = kernelspec.KernelSpec(argv=["/no/such/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda self, name: spec)
    assert "/no/such/python, which does not exist" in by_topic(doctor.kernel)["kernel"].text


def test_a_kernel_of_another_python(monkeypatch, tmp_path):
    """As after `python3 -m ipykernel install --user`, where Jupyter looks there first."""
    from jupyter_client import kernelspec

    python = tmp_path / "their python"
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = kernelspec.KernelSpec(argv=argv, resource_dir=str(tmp_path))
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda self, name: spec)

    def said(shell):
        write_program(python, shell)
        return by_topic(doctor.kernel)["kernel"]

    assert said(f'exec "{sys.executable}" "$@"').status == OK
    found = said("echo; echo fmkit, torch")
    assert found.status == BROKEN and f"{python}, which lacks fmkit, torch" in found.text
    assert found.fix.endswith(" -m ipykernel install --sys-prefix && export JUPYTER_PREFER_ENV_PATH=1")
    (tmp_path / "__init__.py").touch()
    found = said(f'echo "{tmp_path}/__init__.py"; echo')
    assert found.status == BROKEN and f"another fmkit: {tmp_path}" in found.text
    found = said("echo 'no library' >&2; exit 3")
    assert found.status == BROKEN and "does not start: no library" in found.text
    spec.argv = [str(python), "{connection_file}"]  # a script, which cannot be asked
    assert by_topic(doctor.kernel)["kernel"].status == OK


linux = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")


@needs_sandbox
def test_the_real_sandbox():
    found = by_topic(doctor.sandbox)["sandbox"]
    assert found.status == OK and "bubblewrap" in found.text, found


@linux
@pytest.mark.parametrize(
    "shell, text, fix",
    [
        ("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "uid map", "sysctl"),
        ("echo lo eth0", "lo eth0", ""),  # it runs, but the network is still there
        ("exit 7", "exit status 7", ""),
    ],
)
def test_a_sandbox_that_does_not_work(monkeypatch, tmp_path, shell, text, fix):
    write_program(tmp_path / "bwrap", shell)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = by_topic(doctor.sandbox)["sandbox"]
    assert found.status == OPTIONAL and text in found.text and fix in found.fix


@linux
def test_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_topic(doctor.sandbox)["sandbox"]
    assert found.status == OPTIONAL and "bubblewrap" in found.fix
    write_program(tmp_path / "apt-get", "")
    assert by_topic(doctor.sandbox)["sandbox"].fix == "sudo apt-get install bubblewrap"


def test_exit_status_and_report(monkeypatch, capsys):
    def good():
        yield Finding(OK, "one", "fine")

    def nice_to_have():
        yield Finding(OPTIONAL, "two", "missing", "get it")

    def bad():
        yield Finding(BROKEN, "three", "gone", "bring it back")

    def crashes():
        yield Finding(OK, "four", "so far")
        raise ValueError("what a mess")

    monkeypatch.setattr(doctor, "CHECKS", (good, nice_to_have))
    assert doctor.examine() == 0
    assert "→ get it" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "CHECKS", (good, bad, crashes, nice_to_have))
    assert doctor.examine() == 1
    out = capsys.readouterr().out
    assert (
        "→ bring it back" in out and "ValueError: what a mess" in out and "two" in out and "2 to fix." in out
    )


def test_the_whole_report():
    done = subprocess.run(
        [sys.executable, "-m", "fmkit", "doctor"], capture_output=True, text=True, timeout=120
    )
    for topic in ("packages", "torch", "kernel", "chapters", "sandbox", *ASSETS):
        assert f" {topic} " in done.stdout
    assert done.stderr == ""
    installed = any(d.name == "fmkit" for d in metadata.distributions())
    assert done.returncode == (0 if installed else 1), done.stdout
