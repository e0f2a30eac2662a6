"""The processes that a process has started, as Linux knows them."""


def descendants(pid: int) -> list[int]:
    """Ids of the children of a process, of their children, and so on."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:
        return []
    return children + [d for child in children for d in descendants(child)]
