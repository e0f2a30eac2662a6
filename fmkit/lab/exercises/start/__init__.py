"""The exercise of chapter 00, for getting to know the kit."""

CHAPTER = "00"
ORDER = ("ink",)
USES = ()  # of the reference, by the chapter's notebook
