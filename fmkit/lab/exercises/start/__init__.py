"""The exercise of chapter 00, for getting to know the kit."""

CHAPTER = "00"
ORDER = ("ink",)
