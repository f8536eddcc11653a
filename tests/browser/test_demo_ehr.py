"""The demo EHR: charts, cards, orders, and what engineers look at."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from playwright.sync_api import Page, Request, expect
from werkzeug.serving import make_server

from fhir_fixtures.story import load_stories
from tests.browser.conftest import PHONE, Visit

HOSTILE = "<img src=x onerror=alert(1)>"


def opened(visit: Visit, story: str = "") -> Page:
    """The demo with that chart open and its services asked."""
    with visit.page.expect_response("**/nct06920199-patient-view"):
        visit.page.goto(f"{visit.site}/{'#' if story else ''}{story}")
    expect(visit.page.locator("#cards .asked").first).to_be_visible()
    return visit.page


def sent(page: Page, press: str, path: str) -> Request:
    """The request to an address of that ending that pressing a button sends."""
    with page.expect_request(f"**{path}") as caught:
        page.get_by_role("button", name=press).first.click()
    return caught.value


def test_every_story_is_listed_by_name_and_line(visit: Visit) -> None:
    page = opened(visit)
    for story in load_stories():
        expect(page.get_by_role("button", name=story.title)).to_contain_text(story.line)


def test_a_chart_shows_what_a_clinician_looks_for(visit: Visit) -> None:
    """Problems, medications with doses, results with ranges and dates, the weight, the transplantation."""
    page = opened(visit, "nearly-a-candidate")
    chart = page.locator("#chart")
    for seen in (
        "Chronic graft-versus-host disease",
        "30 mg once daily",
        "Allogeneic stem cell transplantation",
        "70 kg",
    ):
        expect(chart).to_contain_text(seen)
    row = chart.get_by_role("row", name="Platelets")
    expect(row).to_contain_text("152 ×10⁹/L")
    expect(row).to_contain_text("125")


def test_the_card_comes_through_the_real_endpoint(visit: Visit) -> None:
    page = opened(visit, "nearly-a-candidate")
    card = page.locator("article.card")
    expect(card).to_have_count(1)
    expect(card.get_by_role("heading", level=4)).to_contain_text("May fit chronic GVHD trial NCT06920199")
    expect(card.locator("strong", has_text="Key facts")).to_be_visible()


def test_a_chart_without_a_card_says_so(visit: Visit) -> None:
    expect(opened(visit, "not-a-transplant-patient").locator("#cards")).to_contain_text("Nothing to say.")


def test_an_accepted_suggestion_stands_in_the_chart_and_is_told(visit: Visit) -> None:
    """The order appears in the chart as a draft, and the feedback names card and suggestion."""
    page = opened(visit, "nearly-a-candidate")
    request = sent(page, "Refer to the study team", "/feedback")
    (entry,) = json.loads(request.post_data or "")["feedback"]
    assert entry["outcome"] == "accepted"
    assert entry["card"]
    assert [set(one) for one in entry["acceptedSuggestions"]] == [{"id"}]
    expect(page.locator("#chart")).to_contain_text("Refer to the study team of NCT06920199")


def test_a_dismissed_card_is_told_with_its_reason(visit: Visit) -> None:
    page = opened(visit, "nearly-a-candidate")
    page.locator("summary", has_text="Dismiss").click()
    page.get_by_label("Reason").select_option(label="Patient declined")
    request = sent(page, "Dismiss this card", "/feedback")
    (entry,) = json.loads(request.post_data or "")["feedback"]
    assert entry["outcome"] == "overridden"
    assert entry["overrideReason"]["reason"]["code"] == "patient-refuses"
    expect(page.locator("#cards")).to_contain_text("Dismissed. The service was told.")


def test_a_fault_of_prefetch_changes_what_the_service_says(visit: Visit) -> None:
    """With a failed list of conditions and no server to ask, the service refuses and names the query."""
    page = opened(visit, "nearly-a-candidate")
    page.locator("summary", has_text="How prefetch arrives").click()
    page.get_by_label("Offer the demo's FHIR server").uncheck()
    page.get_by_label("conditions").select_option(label="an OperationOutcome")
    visit.page.get_by_role("button", name="Open the chart again").click()
    expect(page.locator("#cards .trouble")).to_contain_text("412")
    expect(page.locator("#cards .trouble")).to_contain_text("conditions")
    visit.errors.clear()  # the browser itself reports the 412


def test_engineers_see_each_exchange_and_copy_it_as_curl(visit: Visit) -> None:
    page = opened(visit, "nearly-a-candidate")
    exchange = page.locator("#exchanges details").first
    exchange.locator("summary").click()
    expect(exchange.get_by_role("group", name="Request")).to_contain_text('"hook": "patient-view"')
    expect(exchange.get_by_role("group", name="Response")).to_contain_text('"cards"')
    exchange.get_by_role("button", name="Copy as curl").click()
    command = page.locator("#curl").input_value()
    assert command.startswith("curl -s -H 'Content-Type: application/json' --data-raw '{")
    assert command.endswith(f"'{visit.site}/cds-services/nct06920199-patient-view'")


def test_a_draft_asks_at_once_and_again_when_it_is_signed(visit: Visit) -> None:
    """Ruxolitinib: a card on selecting, a card on signing, and after the signature it stands in the chart as active."""
    page = opened(visit, "nearly-a-candidate")
    page.get_by_label("Order", exact=True).select_option("ruxolitinib")
    with page.expect_request("**/nct06920199-order-select") as selected:
        page.get_by_role("button", name="Draft the order").click()
    context = json.loads(selected.value.post_data or "")["context"]
    assert context["selections"] == [f"MedicationRequest/{context['draftOrders']['entry'][0]['resource']['id']}"]
    expect(page.locator("article.card h4", has_text="Starting ruxolitinib today: not before")).to_have_count(1)
    with page.expect_request("**/nct06920199-order-sign"):
        page.get_by_role("button", name="Sign the drafts").click()
    with page.expect_response("**/nct06920199-patient-view"):
        page.get_by_role("button", name="Sign all the same").click()
    expect(page.locator("#chart")).to_contain_text("ruxolitinib 10 mg twice daily")
    expect(page.locator("#cards")).to_contain_text("Nothing to say.")  # E12: not yet, until the time has passed


def test_a_changed_dose_of_prednisone_is_drafted_as_typed(visit: Visit) -> None:
    page = opened(visit, "nearly-a-candidate")
    page.get_by_label("Order", exact=True).select_option("prednisone-30")
    page.get_by_label("Dose, mg").fill("25")
    with page.expect_request("**/nct06920199-order-select") as selected:
        page.get_by_role("button", name="Draft the order").click()
    (entry,) = json.loads(selected.value.post_data or "")["context"]["draftOrders"]["entry"]
    dosage = entry["resource"]["dosageInstruction"][0]
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 25
    assert "text" not in dosage
    expect(page.locator("article.card h4", has_text="prednisone")).to_have_count(1)


def test_a_reset_forgets_everything(visit: Visit) -> None:
    page = opened(visit, "nearly-a-candidate")
    sent(page, "Refer to the study team", "/feedback")
    with page.expect_response("**/nct06920199-patient-view"):
        page.get_by_role("button", name="Reset the demo").click()
    expect(page.locator("#chart")).not_to_contain_text("Refer to the study team of NCT06920199")


def test_it_works_from_the_keyboard(visit: Visit) -> None:
    """Tab and Enter open a chart and take a suggestion."""
    page = opened(visit)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the chart")
    wanted = page.get_by_role("button", name="Neutrophils lifted by filgrastim")
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("button => button === document.activeElement"):
            break
    with page.expect_response("**/nct06920199-patient-view"):
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Neutrophils lifted by filgrastim")


def test_drafting_and_signing_keep_the_place_of_the_keyboard(visit: Visit) -> None:
    """The order pane is drawn anew each time; whoever has no mouse would otherwise begin at the top again."""
    page = opened(visit, "nearly-a-candidate")
    page.get_by_label("Order", exact=True).select_option("ruxolitinib")
    for press, hook, then in (
        ("Draft the order", "order-select", "Draft the order"),
        ("Sign the drafts", "order-sign", "Sign all the same"),
        ("Remove ruxolitinib", "order-select", "Draft the order"),
    ):
        page.get_by_role("button", name=press).focus()
        with page.expect_response(f"**/nct06920199-{hook}"):
            page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=then)).to_be_focused()
    assert page.get_by_label("Order", exact=True).input_value() == "ruxolitinib"


def test_on_a_phone_a_link_leads_from_the_orders_to_the_cards(visit: Visit) -> None:
    """There the cards stand beneath the chart, out of sight."""
    visit.page.set_viewport_size(PHONE)
    page = opened(visit, "nearly-a-candidate")
    page.get_by_label("Order", exact=True).select_option("ruxolitinib")
    page.get_by_role("button", name="Draft the order").click()
    page.get_by_role("link", name="2 cards came.").click()
    expect(page.locator("article.card").first.locator("h4")).to_be_in_viewport()


@pytest.mark.parametrize("story", ["nearly-a-candidate", "not-a-transplant-patient", "tablets-and-chinese"])
def test_it_has_no_barrier_that_axe_finds(visit: Visit, story: str) -> None:
    page = opened(visit, story)
    for summary in page.locator("summary").all():
        summary.click()
    assert visit.violations() == []


def test_it_fits_a_narrow_phone(visit: Visit) -> None:
    """At 320 px nothing but the table of results scrolls sideways."""
    visit.page.set_viewport_size(PHONE)
    opened(visit, "nearly-a-candidate")
    assert not visit.is_wider_than_the_window()
    assert visit.violations() == []


def other_service() -> Flask:
    """Somebody else's service, whose card tries to be more than text."""
    app = Flask("other")
    card = {
        "summary": f"Hello {HOSTILE}",
        "detail": f"**Bold** {HOSTILE} [click](javascript:alert(1))",
        "indicator": "critical",
        "source": {"label": HOSTILE, "url": "javascript:alert(1)"},
        "links": [{"label": "trap", "url": "javascript:alert(1)", "type": "absolute"}],
    }

    @app.get("/cds-services")
    def discovery() -> dict[str, object]:
        prefetch = {"patient": "Patient/{{context.patientId}}"}
        return {
            "services": [
                {"id": "hello", "hook": "patient-view", "title": "Other", "description": "x", "prefetch": prefetch}
            ]
        }

    @app.post("/cds-services/hello")
    def hello() -> dict[str, object]:
        return {"cards": [card]}

    @app.after_request
    def allow(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Headers"] = "content-type"
        return response

    return app


@pytest.fixture
def other_site() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, other_service(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_another_service_stands_beside_ours_and_its_words_stay_text(visit: Visit, other_site: str) -> None:
    """The worst card comes first; its markup is text, and a link that is no web address is none."""
    page = opened(visit, "nearly-a-candidate")
    page.locator("summary", has_text="CDS services that are asked").click()
    page.get_by_label("Address of another CDS Hooks service").fill(f"{other_site}/cds-services/")
    page.get_by_role("button", name="Add it").click()
    card = page.locator("article.critical")
    expect(card.get_by_role("heading", level=4)).to_have_text(f"Hello {HOSTILE}")
    expect(card.locator("img")).to_have_count(0)
    expect(card.locator("a[href^=javascript]")).to_have_count(0)
    expect(page.locator("article.card")).to_have_count(2)
    assert all(url.startswith(other_site) for url in visit.elsewhere)
    visit.elsewhere.clear()


def test_what_is_no_address_is_refused_in_words(visit: Visit) -> None:
    page = opened(visit)
    page.locator("summary", has_text="CDS services that are asked").click()
    page.get_by_label("Address of another CDS Hooks service").fill("ftp://cds.example.org")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#address-trouble")).to_contain_text("http://")


def test_it_speaks_the_readers_language(visit: Visit) -> None:
    """Pages by the reader's choice; the card by the client's, which is the setting here."""
    page = opened(visit, "nearly-a-candidate")
    page.get_by_role("link", name="简体中文").click()
    expect(page.get_by_role("button", name="重置演示")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("泼尼松")
    expect(page.locator("article.card h4")).to_contain_text("May fit chronic GVHD trial")
    assert visit.violations() == []
