"""What 26 USC 6103(i)(2)(A) lists: whose request may be answered, and for what. Closed: no agreement and no letter can
add to it.

Read in DOJ Criminal Resource Manual 506 and 507, and in 96 Stat. 642 (Public Law 97-248).
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import ValidationInfo

from expectations.base.total import total


class Office(StrEnum):
    """Who may make the written request. As agreements and letters write it."""

    HEAD_OF_AGENCY = "Head of agency"
    INSPECTOR_GENERAL = "Inspector General"
    ATTORNEY_GENERAL = "Attorney General"
    DEPUTY_ATTORNEY_GENERAL = "Deputy Attorney General"
    ASSOCIATE_ATTORNEY_GENERAL = "Associate Attorney General"
    ASSISTANT_ATTORNEY_GENERAL = "Assistant Attorney General"
    DIRECTOR_OF_THE_FBI = "Director of the Federal Bureau of Investigation"
    ADMINISTRATOR_OF_THE_DEA = "Administrator of the Drug Enforcement Administration"
    UNITED_STATES_ATTORNEY = "United States attorney"
    SPECIAL_PROSECUTOR = "Special prosecutor"  # 28 USC 593; later called independent counsel
    STRIKE_FORCE_ATTORNEY = "Attorney in charge of a criminal division organized crime strike force"  # 28 USC 510


# The heads of every agency, or its inspector general; the others in the case of the Department of Justice alone.
OF_JUSTICE: Mapping[Office, bool] = total(
    Office,
    {
        **dict.fromkeys((Office.HEAD_OF_AGENCY, Office.INSPECTOR_GENERAL), False),
        Office.ATTORNEY_GENERAL: True,
        Office.DEPUTY_ATTORNEY_GENERAL: True,
        Office.ASSOCIATE_ATTORNEY_GENERAL: True,
        Office.ASSISTANT_ATTORNEY_GENERAL: True,
        Office.DIRECTOR_OF_THE_FBI: True,
        Office.ADMINISTRATOR_OF_THE_DEA: True,
        Office.UNITED_STATES_ATTORNEY: True,
        Office.SPECIAL_PROSECUTOR: True,
        Office.STRIKE_FORCE_ATTORNEY: True,
    },
)


class Purpose(StrEnum):
    """What the officers and employees are engaged in. As agreements and letters write it."""

    PROCEEDING = "Criminal proceeding"
    INVESTIGATION = "Criminal investigation"
    GRAND_JURY = "Grand jury proceeding"


MEANT: Mapping[Purpose, str] = total(
    Purpose,
    {
        Purpose.PROCEEDING: (
            "(i) preparation for a judicial or administrative proceeding pertaining to the enforcement of a"
            " specifically designated Federal criminal statute, not involving tax administration"
        ),
        Purpose.INVESTIGATION: "(ii) an investigation which may result in such a proceeding",
        Purpose.GRAND_JURY: "(iii) a Federal grand jury proceeding pertaining to the enforcement of such a statute",
    },
)

# How a form is read: as something new, which must keep within the law. What is enrolled or kept already is read as it
# is, for replay and verification, and the rules judge it.
NEW = {"new": True}


def is_new(info: ValidationInfo) -> bool:
    """Whether this is read as something new."""
    return bool(info.context and info.context.get("new"))


def may_ask(office: str, *, justice: bool) -> bool:
    """Whether this office may make a request, of the Department of Justice or of another agency."""
    return office in list(Office) and (justice or not OF_JUSTICE[Office(office)])


def listed_office(value: str, info: ValidationInfo) -> str:
    """`value`, if it is read as something new an office of the statute; raises ValueError otherwise."""
    if is_new(info) and value not in list(Office):
        raise ValueError(f"26 USC 6103(i)(2)(A) lists who may ask, and this is none of them: {', '.join(Office)}")
    return value


def listed_purpose(value: str, info: ValidationInfo) -> str:
    """`value`, if it is read as something new a purpose of the statute; raises ValueError otherwise."""
    if is_new(info) and value not in list(Purpose):
        raise ValueError(f"26 USC 6103(i)(2)(A)(i) to (iii) list the purposes, and this is none: {', '.join(Purpose)}")
    return value
