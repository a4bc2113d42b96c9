"""Facts: what a letter, its agreement, the orders and a batch's own rows come to, as values that rules read in SQL.

letter         what the letter and the instruments say on the day of the decision
counts         what the rows show when they are counted again from their raw fields
sql            facts as one-row tables, and as constants beside a row
band, corroboration, crowding, persons, reasons    one question each, as SQL that stages and checkpoints share
"""
