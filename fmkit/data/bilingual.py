"""A small language, made by rule, in Chinese and in English (chapter 16): who bought what, where, when.

106 characters and 156 words, and the right translation of every sentence is known. What it has of Chinese is
real: times and places stand before the verb, in English behind the object; numbers count in ten thousands;
things need a measure word; 看 is read or watched, which only the thing tells. What it lacks is nearly
everything else: hardly a word means two things, nothing can be said in two ways, and nobody speaks so evenly.
"""

import numpy as np

from fmkit._values import demand, generator, whole

DIGITS = "零一二三四五六七八九"
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_MONTHS = "january february march april may june july august september october november december"
ONES, MONTHS = _ONES.split(), _MONTHS.split()
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

_SURNAMES = "wang li zhang liu chen yang zhao huang"
SURNAMES = dict(zip("王李张刘陈杨赵黄", _SURNAMES.split(), strict=True))
TITLES = {"老师": "teacher", "医生": "doctor", "先生": "mr", "女士": "mrs", "教授": "professor"}
PRONOUNS = {"我": "i", "你": "you", "他": "he", "她": "she", "我们": "we", "他们": "they"}
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAY_PARTS = {
    "上午": ("in the morning", 8, 11),
    "下午": ("in the afternoon", 1, 5),
    "晚上": ("in the evening", 6, 10),
}
PLACES = {
    "北京": "in beijing",
    "上海": "in shanghai",
    "广州": "in guangzhou",
    "伦敦": "in london",
    "学校": "at school",
    "家里": "at home",
    "车站": "at the station",
    "市场": "at the market",
}
THINGS = {  # with the measure word: one, many, and what is done with them besides buying and selling
    "本书": ("book", "books", "看"),
    "份报纸": ("newspaper", "newspapers", "看"),
    "部电影": ("film", "films", "看"),
    "个苹果": ("apple", "apples", "吃"),
    "个鸡蛋": ("egg", "eggs", "吃"),
    "条鱼": ("fish", "fish", "吃"),
    "碗面": ("bowl of noodles", "bowls of noodles", "吃"),
    "杯茶": ("cup of tea", "cups of tea", "喝"),
    "杯咖啡": ("cup of coffee", "cups of coffee", "喝"),
    "瓶水": ("bottle of water", "bottles of water", "喝"),
    "张票": ("ticket", "tickets", "丢"),
    "把雨伞": ("umbrella", "umbrellas", "丢"),
    "件衬衫": ("shirt", "shirts", "洗"),
    "辆汽车": ("car", "cars", "洗"),
}
VERBS = {"买": "bought", "卖": "sold", "吃": "ate", "喝": "drank", "丢": "lost", "洗": "washed", "看": "read"}


def chinese_number(n: int) -> str:
    """A whole number from 1 to 99,999,999 in Chinese: groups of four digits, a gap of zeros is one 零.

    Examples
    --------
    >>> [chinese_number(n) for n in (12, 20, 305, 2_010, 30_050, 123_400)]
    ['十二', '二十', '三百零五', '两千零一十', '三万零五十', '十二万三千四百']
    """
    demand(1 <= whole("n", n, 1) <= 99_999_999, "n", "at most 99,999,999", n)

    def four(n):
        out, gap = "", False
        for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = n // unit % 10
            if digit:
                out += (
                    "零" * (gap and out != "")
                    + ("两" if digit == 2 and unit == 1000 else DIGITS[digit])
                    + name
                )
            gap = digit == 0
        return out

    high, low = divmod(n, 10_000)
    out = ""
    if high:
        out = ("两" if high == 2 else four(high)) + "万" + "零" * (0 < low < 1000)
    out += four(low)
    return out.removeprefix("一") if out.startswith("一十") else out  # ten is 十, not 一十


def english_number(n: int) -> str:
    """The same number in English words, in groups of three digits, without "and" and hyphens.

    Examples
    --------
    >>> [english_number(n) for n in (305, 30_050, 123_400)]
    ['three hundred five', 'thirty thousand fifty', 'one hundred twenty three thousand four hundred']
    """
    demand(1 <= whole("n", n, 1) <= 99_999_999, "n", "at most 99,999,999", n)

    def three(n):
        hundreds, rest = divmod(n, 100)
        words = [ONES[hundreds], "hundred"] if hundreds else []
        if rest >= 20:
            words.append(TENS[rest // 10])
            rest %= 10
        return words + [ONES[rest]] * (rest > 0)

    words = []
    for unit, name in ((1_000_000, ["million"]), (1000, ["thousand"]), (1, [])):
        group = n // unit % 1000
        words += (three(group) + name) if group else []
    return " ".join(words)


def clause(rng: np.random.Generator) -> tuple[str, str]:
    """One thing that somebody did, in Chinese and in English.

    Examples
    --------
    >>> clause(np.random.default_rng(3))
    ('你用三万零七百元买了九把雨伞', 'you bought nine umbrellas for thirty thousand seven hundred yuan')
    """

    def one_of(table):
        return list(table.items())[rng.integers(len(table))]

    def maybe(part, share):
        return part() if rng.random() < share else ("", "")

    def person():
        if rng.random() < 0.3:
            return one_of(PRONOUNS)
        (surname, name), (title, called) = one_of(SURNAMES), one_of(TITLES)
        return surname + title, f"{called} {name}"

    def day():
        if rng.random() < 0.4:
            i = int(rng.integers(7))
            return "星期" + "一二三四五六日"[i], f"on {WEEKDAYS[i]}"
        month, day = int(rng.integers(12)), int(rng.integers(1, 32))
        return f"{chinese_number(month + 1)}月{chinese_number(day)}日", f"on {day} {MONTHS[month]}"

    def hour():
        part, (called, first, last) = one_of(DAY_PARTS)
        n, half = int(rng.integers(first, last + 1)), bool(rng.random() < 0.3)
        spoken = "两" if n == 2 else chinese_number(n)
        return f"{part}{spoken}点{'半' * half}", f"at {'half past ' * half}{ONES[n]} {called}"

    def place():
        chinese, english = one_of(PLACES)
        return "在" + chinese, english

    def price():
        digits = rng.integers(1, 10, 5) * (rng.random(5) < 0.5)  # half of the digits are 0
        n = max(int("".join(map(str, digits))), 5)
        return f"用{chinese_number(n)}元", f"for {english_number(n)} yuan"

    (thing, (one, many, use)), verb = one_of(THINGS), "买"
    n = int(rng.integers(1, 100))
    count = "两" if n == 2 else chinese_number(n)
    verb = ("买", "卖", use)[rng.integers(3)]
    did = "watched" if thing == "部电影" and verb == "看" else VERBS[verb]
    (zh_day, en_day), (zh_hour, en_hour), (zh_who, en_who) = maybe(day, 0.5), maybe(hour, 0.3), person()
    (zh_place, en_place), (zh_price, en_price) = maybe(place, 0.4), maybe(price, 0.5 * (verb == "买"))
    chinese = zh_day + zh_hour + zh_who + zh_place + zh_price + verb + "了" + count + thing
    english = [en_who, did, english_number(n), one if n == 1 else many, en_price, en_place, en_hour, en_day]
    return chinese, " ".join(filter(None, english))


def sentence(rng: np.random.Generator, clauses: int = 1) -> tuple[str, str]:
    """Several clauses: the commas of the Chinese are "and" in English.

    Examples
    --------
    >>> chinese, english = sentence(np.random.default_rng(1), 2)
    >>> print(chinese, english, sep="\\n")
    十二月八日张医生吃了五十一碗面，王医生吃了八十六条鱼
    doctor zhang ate fifty one bowls of noodles on 8 december and doctor wang ate eighty six fish
    """
    generator(rng)
    pairs = [clause(rng) for _ in range(whole("clauses", clauses, 1))]
    return "，".join(zh for zh, _ in pairs), " and ".join(en for _, en in pairs)


def vocabularies() -> tuple[list[str], list[str]]:
    """All characters and all words that a sentence may hold, in order.

    Examples
    --------
    >>> characters, words = vocabularies()
    >>> len(characters), len(words), words[-3:]
    (106, 156, ['yuan', 'zhang', 'zhao'])
    """
    chinese = [
        *SURNAMES,
        *TITLES,
        *PRONOUNS,
        *DAY_PARTS,
        *PLACES,
        *THINGS,
        *VERBS,
        DIGITS,
        "两十百千万元用在了月日星期点半，",
    ]
    english = [*SURNAMES.values(), *TITLES.values(), *PRONOUNS.values(), *PLACES.values(), *VERBS.values()]
    english += [called for called, *_ in DAY_PARTS.values()]
    english += [f"{one} {many}" for one, many, _ in THINGS.values()]
    english += [*ONES[1:], *TENS[2:], "hundred thousand", *MONTHS, *WEEKDAYS, *map(str, range(1, 32))]
    english += ["on", "at half past", "for yuan", "and watched"]
    return sorted(set("".join(chinese))), sorted(set(" ".join(english).split()))
