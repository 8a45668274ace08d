-- The writer thread gives the index of trigrams each new text itself, once a commit in place of once a text.
{sqlite} DROP TRIGGER search_infix_added;
