"""Grade on a dask.distributed cluster: the same jobs, the same results, also when workers come and go."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fmkit.course.grading import pool
from fmkit.course.submission import Unreadable, read_bytes
from fmkit.errors import CourseError

_RETRIES = 5  # a job runs again when its worker has died; a worker may die for another job's sake


def run_on_cluster(jobs: dict[Any, dict], cluster: Any) -> Iterator[tuple[Any, dict]]:
    """Grade jobs (see `pool.grade_job`) on the cluster; yields (name, result) as they finish.

    Parameters
    ----------
    jobs : dict
    cluster : str or distributed.Client
        The scheduler's address, or a client. The workers need fmkit, the course's notebooks and own
        exercises at the same path, and bubblewrap.

    Raises
    ------
    CourseError
        When the cluster cannot be reached, or is lost. What was graded until then has been yielded.
    """
    from distributed import Client, as_completed

    try:
        client = Client(cluster) if isinstance(cluster, str) else cluster
    except (OSError, ValueError) as error:
        raise CourseError(f"cannot reach a cluster at {cluster!r}: {error}") from error
    names = {}

    def submit(name):
        future = client.submit(pool.grade_job, _with_data(jobs[name]), pure=False, retries=_RETRIES)
        names[future.key] = name
        return future

    waiting = iter(jobs)
    window = 2 * max(sum(client.nthreads().values()), 1) + 2  # so many on the way: memory stays flat
    try:
        running = as_completed([submit(name) for name in islice(waiting, window)])
        for future in running:
            name = names.pop(future.key)
            if client.status != "running":
                raise CourseError("the cluster was lost: run the same command again to continue")
            error = future.exception()
            yield name, pool.failed(jobs[name], repr(error)[:300]) if error else future.result()
            for following in islice(waiting, 1):
                running.add(submit(following))
    finally:
        if isinstance(cluster, str):
            client.close()


def _with_data(job: dict) -> dict:
    """The job with the submission's bytes: a worker elsewhere cannot see the file."""
    try:
        return job | {"data": read_bytes(job["file"])}
    except Unreadable:
        return job
