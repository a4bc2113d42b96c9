"""The notices that the recipient gets with every package."""

NOTICES = (
    "These are return information of the persons named in the requests: confidential under 26 USC 6103(a).",
    "Use is limited to the purpose that the letter states, by the officers personally and directly engaged in it:"
    " 26 USC 6103(i)(2).",
    "Keep it under the safeguards of 26 USC 6103(p)(4); after use return it or destroy it, and record the disposal.",
    "Disclosure or inspection beyond this is punishable (26 USC 7213, 7213A) and actionable, negligence included"
    " (26 USC 7431).",
    "A last known address is a term of art (26 CFR 301.6212-2), not proof of residence.",
    "The holder may recall any of these rows: freeze them on notice, before any further use.",
)
