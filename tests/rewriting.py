"""Files that tests write over and over."""


def write_anew(path, content):
    """Write a file in place of one that may be there: some file systems wait for the disk where one is written over."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
