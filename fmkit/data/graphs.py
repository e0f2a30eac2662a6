"""A graph for part two: who was a friend of whom in a club of 34."""

import numpy as np
from jaxtyping import Int

from fmkit._types import Array


def karate_club() -> tuple[Int[Array, "78 2"], Int[Array, "34"]]:
    """Friendships in a karate club before it split in two, and on which side each member then was.

    Returns
    -------
    edges : int64 array (78, 2)
        Each friendship once. Member 0 is the instructor, member 33 the club's officer, about whom it broke.
    club : int64 array (34,)
        0 for the instructor's new club, 1 for the officer's.

    Notes
    -----
    Source: Wayne Zachary, "An information flow model for conflict and fission in small groups" (1977); as
    it is in the package ``networkx``, which comes with torch. The members have no names there.
    """
    import networkx

    graph = networkx.karate_club_graph()
    club = [int(graph.nodes[n]["club"] != graph.nodes[0]["club"]) for n in range(len(graph))]
    return np.array(sorted(graph.edges)), np.array(club)
