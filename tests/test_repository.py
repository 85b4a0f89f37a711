"""Where the repository and the site live, as book/_ext/repository.py finds it out."""

import subprocess

import pytest

import repository

OWN = repository.Repository("github.com", "someone", "book", "main")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_REF_NAME", "GITHUB_BASE_REF", "SITE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clone(tmp_path):
    """Make a git repository on the branch main whose remote origin is at an address, and return its folder."""

    def make(address):
        for args in (["init", "-q", "-b", "main"], ["remote", "add", "origin", address]):
            subprocess.run(["git", "-C", str(tmp_path), *args], check=True)
        return tmp_path

    return make


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/someone/book.git",
        "https://github.com/someone/book/",
        "https://user:password@github.com/someone/book",
        "git@github.com:someone/book.git",
        "ssh://git@github.com:22/someone/book.git",
    ],
)
def test_a_remote_on_a_public_forge_is_the_repository(clone, address):
    found = repository.repository(clone(address))
    assert found == OWN
    assert found.url == "https://github.com/someone/book", "no password, no .git"


@pytest.mark.parametrize(
    "address", ["/srv/git/book.git", "../book", "https://git.example.org/someone/book", "https://github.com/book", "file:///srv/github.com/a/b"]
)
def test_another_remote_is_none(clone, address):
    root = clone(address)
    assert repository.repository(root) is None
    assert repository.site(root) is None


def test_a_folder_without_a_remote_or_without_git_is_none(tmp_path, monkeypatch):
    assert repository.repository(tmp_path) is None
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    assert repository.repository(tmp_path) is None
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert repository.repository(tmp_path) is None


def test_the_branch_is_the_one_that_a_clone_gets(clone):
    root = clone("https://github.com/someone/book")
    subprocess.run(["git", "-C", str(root), "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"], check=True)
    subprocess.run(["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    subprocess.run(["git", "-C", str(root), "update-ref", "refs/remotes/origin/trunk", "HEAD"], check=True)
    assert repository.repository(root) == OWN._replace(branch="trunk")


def test_on_actions_the_environment_says_it(tmp_path, monkeypatch):
    told = {"ACTIONS": "true", "SERVER_URL": "https://github.com", "REPOSITORY": "Someone/Book", "REF_NAME": "v1.0"}
    for name, value in told.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    assert repository.repository(tmp_path) == ("github.com", "Someone", "Book", "v1.0")
    monkeypatch.setenv("GITHUB_REF_NAME", "12/merge")
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    assert repository.repository(tmp_path).branch == "main"
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example.org")
    assert repository.repository(tmp_path) is None


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://github.com/Someone/book", "https://someone.github.io/book/"),
        ("https://github.com/someone/someone.github.io", "https://someone.github.io/"),
        ("https://gitlab.com/group/team/book", "https://group.gitlab.io/team/book/"),
    ],
)
def test_the_address_of_the_site_follows_from_the_repository_unless_it_is_told(clone, monkeypatch, address, site):
    root = clone(address)
    assert repository.site(root) == site
    monkeypatch.setenv("SITE_URL", "https://book.example.org")
    assert repository.site(root) == "https://book.example.org/"
