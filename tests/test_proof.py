"""The proof page in a real browser without a network. Pictures are compared pixel by pixel."""

import base64
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blocks import LETTERS, build
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._f_v_a_r import Axis as FontAxis
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from fontTools.varLib.instancer import instantiateVariableFont
from PIL import Image

from vce_models.fonts import proof
from vce_models.fonts.proof import Axis, ProofFonts, SingleFont, page

pytest.importorskip("brotli", reason="WOFF2 needs brotli: pip install brotli")

PLACES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync"]
HANDS = {"HND1": lambda x, y: (round(0.3 * y), 0), "HND2": lambda x, y: (0, round(0.4 * x))}
SAMPLE = "Hill oil"


def saved(font, flavor=None):
    font.flavor = flavor
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


def vary(font):
    """Give a font an axis for each of HANDS."""
    font["fvar"] = newTable("fvar")
    for tag in HANDS:
        axis = FontAxis()
        axis.axisTag, axis.minValue, axis.defaultValue, axis.maxValue = tag, 0, 0, 100
        axis.axisNameID = font["name"].addMultilingualName({"en": tag})
        font["fvar"].axes.append(axis)
    font["gvar"] = newTable("gvar")
    font["gvar"].version, font["gvar"].reserved = 1, 0
    font["gvar"].variations = {
        name: [
            TupleVariation({tag: (0, 1, 1)}, [*(move(*xy) for xy in points), *[(0, 0)] * 4])
            for tag, move in HANDS.items()
        ]
        for name in font.getGlyphOrder()
        for points in [font["glyf"][name].getCoordinates(font["glyf"])[0]]
    }
    return font


def hand(path, tag):
    return instantiateVariableFont(
        vary(TTFont(path)), {other: 100 * (other == tag) for other in HANDS}
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return build(tmp_path_factory.mktemp("proof") / "source.ttf")


@pytest.fixture(scope="module")
def fonts(source):
    alternates = TTFont(source)
    glyphs = alternates.getBestCmap()
    i, capital = glyphs[ord("i")], glyphs[ord("A")]
    addOpenTypeFeaturesFromString(
        alternates, f"feature calt {{ sub {i} {i}' by {capital}; }} calt;"
    )
    return ProofFonts(
        family="Blocks by Hand",
        variable=saved(vary(TTFont(source)), "woff2"),
        axes=(Axis("HND1", "Hand 1"), Axis("HND2", "Hand 2")),
        characters=tuple(map(ord, LETTERS)),
        sample=SAMPLE,
        command="vce convert source.ttf -n 2 -o proof.html",
        alternates=saved(alternates, "woff2"),
        singles=tuple(SingleFont(f"{tag}.ttf", saved(hand(source, tag))) for tag in HANDS),
    )


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    program = next(filter(None, map(shutil.which, PLACES)), None)
    if not program:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=FLAGS, chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Open a proof without a network; afterwards nothing was asked for, and nothing complained."""
    asked, troubles, contexts = [], [], []

    def opened(fonts, fragment="", **options):
        file = tmp_path / "proof.html"
        file.write_text(page(fonts), "utf-8")
        options = {"viewport": {"width": 1280, "height": 800}, "offline": True, **options}
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.goto(file.as_uri() + fragment)
        tab.wait_for_selector("html[data-ready]", state="attached")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert {url.split("#")[0] for url in asked} == {(tmp_path / "proof.html").as_uri()}
    assert not troubles


def picture(place):
    """What the browser shows at a place, (H, W, 3)."""
    return np.asarray(Image.open(io.BytesIO(place.screenshot())).convert("RGB"), int)


def line(tab, hand):
    return tab.get_by_role("textbox", name=f"Text in {hand}")


def mix(tab, **values):
    for tag, value in values.items():
        tab.locator(f"#axis-{tag}").fill(str(value))


def redness(shown):
    """Pixels of the source's colour."""
    return np.sum(shown[..., 0] - shown[..., 2] > 60)


def test_a_text_typed_in_one_line_is_set_in_every_hand(fonts, visit):
    tab = visit(fonts)
    hands = ("Mix", "Source", "Hand 1", "Hand 2", "Alternates")
    before = [picture(line(tab, hand)) for hand in hands]
    line(tab, "Source").fill("Hi\nlo")
    for hand, old in zip(hands, before, strict=True):
        assert line(tab, hand).input_value() == "Hi\nlo"
        assert picture(line(tab, hand)).shape[0] > 1.5 * old.shape[0]
    assert {text.split("\n")[-1] for text in tab.locator(".size").all_inner_texts()} == {"Hi"}
    tab.get_by_role("button", name="Back to the first text").click()
    tab.locator("h1").click()  # the first line has the focus, and shows it
    for hand, old in zip(hands, before, strict=True):
        assert np.array_equal(picture(line(tab, hand)), old), hand


def test_a_slider_moves_the_mix_and_no_other_hand(fonts, visit):
    tab = visit(fonts)
    for tag in HANDS:
        before = {name: picture(line(tab, name)) for name in ("Mix", "Source", "Hand 1")}
        large = picture(tab.locator(".stage"))
        mix(tab, **{tag: 90})
        assert not np.array_equal(picture(line(tab, "Mix")), before["Mix"])
        assert not np.array_equal(picture(tab.locator(".stage")), large)
        assert np.array_equal(picture(line(tab, "Source")), before["Source"])
        assert np.array_equal(picture(line(tab, "Hand 1")), before["Hand 1"])


@pytest.mark.parametrize("tag", [None, *HANDS])
def test_the_mix_is_the_source_at_0_and_the_single_font_at_100(tag, fonts, visit, source):
    single = saved(hand(source, tag)) if tag else source.read_bytes()
    tab = visit(fonts)
    mix(tab, **{other: 100 * (other == tag) for other in HANDS})
    shown = picture(line(tab, "Mix"))
    tab.evaluate(
        """async (data) => {
          const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
          document.fonts.add(await new FontFace("single", bytes.buffer).load());
          document.querySelector(".grow.mix").style.fontFamily = "single";
        }""",
        base64.b64encode(single).decode(),
    )
    assert np.ptp(shown) > 200  # there is ink
    assert np.array_equal(picture(line(tab, "Mix")), shown)
    name = {None: "Source", "HND1": "Hand 1", "HND2": "Hand 2"}[tag]
    inside = slice(2, -2)  # a line's edge may share a pixel with what is above it
    assert np.array_equal(picture(line(tab, name))[inside], shown[inside])


def test_the_source_stands_behind_the_glyphs_unless_switched_off(fonts, visit):
    tab = visit(fonts, "#HND1=100&HND2=0")
    cell = tab.get_by_role("option", name="H, latin capital letter h")
    moved = redness(picture(cell))
    mix(tab, HND1=0)
    assert redness(picture(cell)) < moved / 4
    mix(tab, HND1=100)
    tab.get_by_role("switch", name="Source behind").uncheck()
    assert redness(picture(cell)) == 0


def test_alternates_are_switched_on_and_off(fonts, visit):
    tab = visit(fonts, "#text=iii")
    on, source = picture(line(tab, "Alternates")), picture(line(tab, "Source"))
    tab.get_by_role("switch", name="Alternates").uncheck()
    off = picture(line(tab, "Alternates"))
    assert not np.array_equal(on, off)
    assert np.array_equal(off, source)


def test_without_alternates_there_is_no_switch(fonts, visit):
    tab = visit(replace(fonts, alternates=None))
    assert not tab.get_by_role("switch", name="Alternates").is_visible()
    assert not line(tab, "Alternates").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_as_dark_as_the_system_until_told_otherwise(scheme, fonts, visit):
    tab = visit(fonts, color_scheme=scheme)
    switch = tab.get_by_role("switch", name="Dark")
    assert switch.is_checked() == (scheme == "dark")
    before = picture(line(tab, "Source"))
    switch.click()
    after = picture(line(tab, "Source"))
    dark, light = (before, after) if scheme == "dark" else (after, before)
    assert np.median(dark) < 40 < 215 < np.median(light)
    assert dark.max() > 215
    assert light.min() < 40


def test_a_dark_page_prints_black_on_white(fonts, visit):
    tab = visit(fonts, "#dark=1")
    tab.emulate_media(media="print")
    shown = picture(line(tab, "Source"))
    assert np.median(shown) > 215
    assert shown.min() < 40


def test_sizes_go_from_12_to_200(fonts, visit):
    tab = visit(fonts, "#text=o")
    heights = []
    for size in (12, 200):
        tab.get_by_role("slider", name="Size").fill(str(size))
        rows = np.nonzero(np.any(picture(line(tab, "Source")) < 100, axis=(1, 2)))[0]
        heights.append(np.ptp(rows) + 1)
    assert heights == pytest.approx([6, 100], abs=1)  # an o is half an em high


def test_all_is_done_by_keyboard(fonts, visit):
    tab = visit(fonts)
    tab.get_by_role("slider", name="Hand 1").focus()
    tab.keyboard.press("End")
    assert tab.get_by_role("button", name="Hand 1").first.get_attribute("aria-pressed") == "false"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Home")
    assert tab.get_by_role("button", name="Hand 1").first.get_attribute("aria-pressed") == "true"
    grid = tab.get_by_role("listbox", name="Glyphs")
    tab.get_by_role("searchbox").focus()
    tab.keyboard.press("Tab")
    while not grid.evaluate("grid => grid === document.activeElement"):
        tab.keyboard.press("Tab")
    for key, chosen in (("Home", "A"), ("ArrowRight", "H"), ("End", "😀"), ("i", "i")):
        tab.keyboard.press(key)
        option = tab.locator(f"[id='{grid.get_attribute('aria-activedescendant')}']")
        assert option.get_attribute("aria-selected") == "true"
        assert option.get_attribute("aria-label").startswith(f"{chosen}, ")
        assert tab.locator("[aria-selected=true]").count() == 1
        assert f"U+{ord(chosen):04X}" in tab.locator(".facts").inner_text()


def test_a_screen_reader_finds_everything_by_name(fonts, visit):
    tab = visit(fonts)
    told = tab.locator("body").aria_snapshot()
    for wanted in (
        'heading "Blocks by Hand" [level=1]',
        'slider "Size"',
        'slider "Hand 2"',
        'switch "Alternates" [checked]',
        'textbox "Text in Hand 2"',
        'listbox "Glyphs"',
        'option "é, latin small letter e with acute"',
        'link "Save Hand 1"',
        'link "HND1.ttf"',
    ):
        assert wanted in told, told
    assert not re.search(r"^\s*- (button|link|slider|switch|textbox|option)(:| \[|$)", told, re.M)


def test_the_search_finds_by_character_name_and_code(fonts, visit):
    tab = visit(fonts)
    for asked, found in (("é", "é"), ("letter h", "H"), ("u+002e", "."), ("grinning", "😀")):
        tab.get_by_role("searchbox").fill(asked)
        (label,) = [
            option.get_attribute("aria-label") for option in tab.get_by_role("option").all()
        ]
        assert label.startswith(f"{found}, ")


def test_the_address_brings_a_state_back(fonts, visit):
    tab = visit(fonts)
    line(tab, "Mix").fill("Hil & o=")
    mix(tab, HND1=35, HND2=0)
    tab.get_by_role("slider", name="Size").fill("90")
    tab.get_by_role("switch", name="Dark").check()
    tab.wait_for_url("**dark=1**")
    shown = picture(line(tab, "Mix"))
    again = visit(fonts, "#" + tab.url.split("#")[1])
    assert line(again, "Mix").input_value() == "Hil & o="
    assert np.array_equal(picture(line(again, "Mix")), shown)


def test_each_font_is_saved_by_its_link(fonts, visit):
    tab = visit(fonts)
    wanted = {
        "Blocks-by-Hand-variable.woff2": fonts.variable,
        "Blocks-by-Hand-alternates.woff2": fonts.alternates,
        **{single.name: single.data for single in fonts.singles},
    }
    for name, data in wanted.items():
        with tab.expect_download() as coming:
            tab.get_by_role("link", name=name).click()
        assert coming.value.suggested_filename == name
        assert Path(coming.value.path()).read_bytes() == data
    with tab.expect_download() as coming:
        tab.get_by_role("link", name="Save Hand 2").click()
    assert Path(coming.value.path()).read_bytes() == fonts.singles[1].data


def test_the_command_and_the_mix_are_copied(fonts, visit):
    tab = visit(fonts, "#HND1=40&HND2=0")
    for button, copied in (
        ("Copy CSS", 'font-variation-settings: "HND1" 40;'),
        ("Copy", fonts.command),
    ):
        tab.get_by_role("button", name=button, exact=True).click()
        tab.locator("#said", has_text="Copied").wait_for(state="attached")
        tab.get_by_role("searchbox").fill("")
        tab.get_by_role("searchbox").press("Control+V")
        assert tab.get_by_role("searchbox").input_value() == copied


def test_characters_that_the_font_lacks_are_named(fonts, visit):
    tab = visit(fonts)
    assert not tab.locator("#missing").is_visible()
    line(tab, "Mix").fill("Hi Zo\nZß")
    assert tab.locator("#missing").inner_text().endswith(": Z ß")


def test_lines_take_the_direction_of_their_script(fonts, visit):
    tab = visit(replace(fonts, sample="שלום\nil"))
    shown = picture(line(tab, "Source")).min(-1)
    upper, lower = np.array_split(shown, 2)
    middle = shown.shape[1] / 2
    assert np.nonzero(upper < 100)[1].min() > middle
    assert np.nonzero(lower < 100)[1].max() < middle


def test_thousands_of_glyphs_fill_the_grid_where_it_is_looked_at(fonts, visit):
    many = replace(fonts, characters=(*fonts.characters, *range(0x4E00, 0x4E00 + 3000)))
    tab = visit(many)
    assert 0 < tab.locator(".cell").count() < 300
    grid = tab.get_by_role("listbox")
    grid.focus()
    tab.keyboard.press("End")
    last = tab.locator(f"#{grid.get_attribute('aria-activedescendant')}")
    assert last.get_attribute("aria-posinset") == last.get_attribute("aria-setsize") == "3009"
    box = last.bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= 800
    assert tab.locator(".cell").count() < 300
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator(".cell").count() == 3009


def test_a_narrow_screen_folds_the_controls_and_never_scrolls_sideways(fonts, visit):
    tab = visit(fonts, "#size=200", viewport={"width": 400, "height": 800})
    assert tab.evaluate("document.scrollingElement.scrollWidth") == 400
    slider = tab.get_by_role("slider", name="Hand 1")
    assert not slider.is_visible()
    tab.get_by_text("Mix and size").click()
    assert slider.is_visible()


HOSTILE = (
    """</script></style></title><script>document.title = "out"</script ></script/>"""
    """"><img src=x onerror="document.title = 'out'"> ' $data ${script} \u2028 <!--"""
)


def test_no_string_breaks_out_of_its_place(fonts, visit):
    tab = visit(
        replace(
            fonts,
            family=HOSTILE,
            sample=HOSTILE,
            command=HOSTILE,
            axes=(Axis("HND1", HOSTILE), Axis("HND2", "Hand 2")),
            singles=tuple(replace(single, name=f"{HOSTILE}.ttf") for single in fonts.singles),
        )
    )
    assert tab.evaluate("document.title").startswith("</script></style></title>")
    assert tab.locator("h1").evaluate("e => e.textContent") == HOSTILE
    assert tab.locator("#command").evaluate("e => e.textContent") == HOSTILE
    assert line(tab, "Mix").input_value() == HOSTILE
    assert tab.locator("#single-1").get_attribute("download") == f"{HOSTILE}.ttf"
    assert tab.locator("script").count() == 2
    assert tab.locator("img").count() == 0


def test_text_that_is_no_unicode_is_written_all_the_same(fonts):
    page(replace(fonts, family="a\udc80", sample="\udc80", command="\udc80")).encode("utf-8")


def test_single_fonts_are_left_out_beyond_the_limit_and_the_page_says_so(fonts):
    whole = page(fonts)
    assert page(fonts, limit=len(whole)) == whole
    less = page(fonts, limit=len(whole) - 1)
    assert len(less) < len(whole)
    assert "HND1.ttf" not in less
    assert "The single fonts are left out" in less
    assert "The single fonts are left out" not in whole


def test_each_font_lies_in_the_page_once(fonts):
    whole = page(fonts)
    for data in (fonts.variable, fonts.alternates, *(single.data for single in fonts.singles)):
        assert whole.count(base64.b64encode(data).decode()) == 1


def test_the_page_without_its_fonts_is_small(fonts):
    bare = page(replace(fonts, variable=b"", alternates=None, singles=()))
    assert len(bare.encode()) < 40_000


def test_the_page_names_no_address_of_another_file():
    for kind in ("html", "css", "js"):
        text = (Path(proof.__file__).parent / f"proof.{kind}").read_text("utf-8")
        assert not re.search(r"https?:|//[a-z]+\.|@import", text)
