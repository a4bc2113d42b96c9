"""The classes of deportable aliens of 8 USC 1227(a): what an order of removal can rest on, as a closed list.

Written from the structure of the statute: paragraph (1) was compared with published copies of the code, and of (2)(A)
that (vi) waives and that there is no (vii); the clauses of the others are from memory, and an error in them withholds
a row or admits a class that does not exist, never another law. What waives or excepts is no class: (1)(E)(ii) and
(iii), (1)(H), (2)(A)(vi), (2)(B)'s own exception, (3)(C)(ii), (3)(D)(ii), (4)(C)(ii), (6)(B) and (7). (1)(F) is
repealed. A paragraph or a subparagraph without its clause names all of its classes.
"""

# paragraph → its subparagraphs, each with the clauses that are classes of their own
_CLASSES: dict[str, dict[str, str]] = {
    "1": {"A": "", "B": "", "C": "i ii", "D": "i", "E": "i", "G": "i ii"},
    "2": {"A": "i ii iii iv v", "B": "i ii", "C": "", "D": "i ii iii iv", "E": "i ii", "F": ""},
    "3": {"A": "", "B": "i ii iii", "C": "i", "D": "i"},
    "4": {"A": "i ii iii", "B": "", "C": "i", "D": "", "E": "", "F": ""},
    "5": {},
    "6": {"A": ""},
}
GROUNDS: tuple[str, ...] = tuple(
    f"1227(a)({paragraph}){rest}"
    for paragraph, subparagraphs in _CLASSES.items()
    for rest in (
        "",
        *(f"({s})" for s in subparagraphs),
        *(f"({s})({clause})" for s, clauses in subparagraphs.items() for clause in clauses.split()),
    )
)
