"""大写金额 · Amounts in words, as contracts and vouchers print them: 10,050.03 is 壹万零伍拾元零叁分."""

DIGITS = "零壹贰叁肆伍陆柒捌玖"
UNITS = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))
LIMIT = 10**18  # in fen; above it there is no plain word


def rmb_words(fen: int) -> str:
    """An amount in fen in words: 整 closes it after 元 and 角, a skipped place reads 零 (支付结算办法, appendix 1).

    Raises ValueError below zero and from ten quadrillion yuan on.
    """
    if not 0 <= fen < LIMIT:
        raise ValueError(f"{fen} fen cannot be written in words")
    yuan, cents = divmod(fen, 100)
    jiao, last = divmod(cents, 10)
    words = _number(yuan) + "元" if yuan or not cents else ""
    if jiao:
        words += DIGITS[jiao] + "角"
    elif last and yuan:
        words += "零"
    return words + (DIGITS[last] + "分" if last else "整")


def _number(n: int) -> str:
    for value, unit in UNITS:
        if n >= value:
            high, low = divmod(n, value)
            skipped = "零" if 0 < low < value // 10 else ""
            return _number(high) + unit + skipped + (_number(low) if low else "")
    return DIGITS[n]
