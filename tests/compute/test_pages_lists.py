"""The lists of compute plans and of tasks: what they show, filter, order and export."""

import csv
import io
import json
from uuid import uuid4

import pytest
from django.urls import reverse

from assets.accounts.models import User
from assets.compute.models import Task
from assets.compute.statuses import TaskStatus
from tests.builders import make_plan, set_status

from .conftest import recount

pytestmark = pytest.mark.postgresql

# The session, its user, the organisations, the count, the page.
LIST_QUERIES = 5

each_list = pytest.mark.parametrize("url_name", ["compute-plans", "tasks"])


@pytest.fixture
def listed(session_of, alice):
    """The keys that a list shows, in its order."""

    def get(url_name, user=alice, **query):
        response = session_of(user).get(reverse(url_name), query)
        assert response.status_code == 200
        return [row.record.pk for row in response.context["table"].paginated_rows]

    return get


@each_list
def test_strangers_sign_in_first(client, db, url_name):
    response = client.get(reverse(url_name))
    assert response.status_code == 302
    assert response.url == f"{reverse('sign-in')}?next={reverse(url_name)}"


@each_list
def test_no_one_sends_anything(session_of, alice, url_name):
    assert session_of(alice).post(reverse(url_name)).status_code == 405


@each_list
@pytest.mark.parametrize(("who", "offered"), [("alice", True), ("victor", False), ("root", False)])
def test_registering_is_offered_to_those_who_may(session_of, request, url_name, who, offered):
    html = session_of(request.getfixturevalue(who)).get(reverse(url_name)).content.decode()
    link = f'href="{reverse(url_name.removesuffix("s") + "-new")}"'
    assert (link in html) == offered


@pytest.mark.parametrize("who", ["alice", "victor", "carol", "root"])
def test_everybody_sees_all_plans_and_tasks(listed, study, request, who):
    user = request.getfixturevalue(who)
    assert listed("compute-plans", user) == [study.plan.pk]
    assert set(listed("tasks", user)) == {study.first.pk, study.second.pk, study.third.pk}


def test_what_a_plan_shows(session_of, alice, study):
    set_status([study.first.pk], TaskStatus.DONE)
    recount(study.plan)
    html = session_of(alice).get(reverse("compute-plans")).content.decode()
    for text in ("Study", "1 / 3", 'tag-doing">doing<', "first", "alice", "MyOrg1MSP"):
        assert text in html


@pytest.mark.parametrize(
    ("who", "shown"), [("ada", "alice"), ("victor", "alice"), ("bob", "external")]
)
def test_the_creator_is_shown_to_its_own_organisation(session_of, study, request, who, shown):
    response = session_of(request.getfixturevalue(who)).get(reverse("compute-plans"))
    (row,) = response.context["table"].paginated_rows
    assert row.get_cell("creator") == shown


def test_a_deleted_creator(session_of, ada, study):
    User.objects.filter(username="alice").delete()
    response = session_of(ada).get(reverse("compute-plans"))
    (row,) = response.context["table"].paginated_rows
    assert row.get_cell("creator") == "deleted"


# --- Filters -------------------------------------------------------------------------------------

PLAN_FILTERS = [
    ({"q": "stud"}, True),
    ({"q": "first"}, True),
    ({"q": "other"}, False),
    ({"owner": "MyOrg1MSP"}, True),
    ({"owner": "MyOrg2MSP"}, False),
    ({"status": "PLAN_STATUS_CREATED"}, True),
    ({"status": "PLAN_STATUS_DONE"}, False),
    ({"tag": "first"}, True),
    ({"tag": "fir"}, False),
    ({"metadata": "disease"}, True),
    ({"metadata": "disease=flu"}, True),
    ({"metadata": "disease=gout"}, False),
    ({"worker": "MyOrg1MSP"}, True),
    ({"worker": "MyOrg2MSP"}, False),
    ({"after": "2020-01-01"}, True),
    ({"before": "2020-01-01"}, False),
]


@pytest.mark.parametrize(("query", "found"), PLAN_FILTERS)
def test_filters_of_plans(listed, study, query, found):
    assert listed("compute-plans", **query) == ([study.plan.pk] if found else [])


TASK_FILTERS = [
    ({"owner": "MyOrg2MSP"}, ()),
    ({"worker": "MyOrg1MSP"}, ("first", "second", "third")),
    ({"worker": "MyOrg2MSP"}, ()),
    ({"status": "STATUS_DONE"}, ("second",)),
    ({"tag": "round one"}, ("first",)),
    ({"rank": "1"}, ("second",)),
    ({"after": "2020-01-01"}, ("first", "second", "third")),
    ({"before": "2020-01-01"}, ()),
    ({"metadata": "round"}, ()),
    ({"q": "no key"}, ()),
    ({"q": "TRAI"}, ("first", "second")),
    ({"q": "stud"}, ("first", "second", "third")),
    ({"function": "scor"}, ("third",)),
    ({"function": "study"}, ()),
    ({"plan": "study"}, ("first", "second", "third")),
    ({"plan": "score"}, ()),
    ({"function": "train", "plan": "study", "status": "STATUS_DONE"}, ("second",)),
]


@pytest.mark.parametrize(("query", "names"), TASK_FILTERS)
def test_filters_of_tasks(listed, study, query, names):
    set_status([study.second.pk], TaskStatus.DONE)
    assert set(listed("tasks", **query)) == {getattr(study, name).pk for name in names}


@pytest.mark.parametrize(
    ("parameter", "key_of", "names"),
    [
        ("compute_plan_key", lambda study: study.plan.pk, ("first", "second", "third")),
        ("function_key", lambda study: study.score.pk, ("third",)),
        ("dataset_key", lambda study: study.dataset.pk, ("first", "second", "third")),
        ("data_sample_key", lambda study: study.samples[0].pk, ("first", "second", "third")),
        ("parent_task_key", lambda study: study.first.pk, ("second",)),
        ("compute_plan_key", lambda study: uuid4(), ()),
        ("dataset_key", lambda study: "no key", ()),
        ("parent_task_key", lambda study: study.third.pk, ()),
    ],
)
def test_links_of_other_pages_lead_to_tasks(listed, study, parameter, key_of, names):
    found = listed("tasks", **{parameter: key_of(study)})
    assert sorted(found) == sorted(getattr(study, name).pk for name in names)


@pytest.mark.parametrize("length", [8, 9, 20, 36])
def test_tasks_are_searched_by_how_their_key_begins(listed, study, length):
    key = str(study.first.pk)[:length]
    wanted = {task.pk for task in Task.objects.all() if str(task.pk).startswith(key)}
    assert set(listed("tasks", q=f" {key.upper()} ")) == wanted


def test_chips_name_what_they_filter_by(session_of, alice, study):
    query = {"compute_plan_key": study.plan.pk, "status": "STATUS_DONE"}
    response = session_of(alice).get(reverse("tasks"), query)
    text = [(label, value) for label, value, _ in response.context["chips"]]
    assert text == [("Compute plan", "Study"), ("Status", "done")]


# --- Order and export -----------------------------------------------------------------------------


def test_tasks_of_a_plan_are_ordered_by_rank_and_by_any_column(listed, study):
    plan = study.plan.pk
    assert listed("tasks", compute_plan_key=plan)[-1] == study.second.pk
    assert listed("tasks", compute_plan_key=plan, sort="-rank")[0] == study.second.pk
    assert listed("tasks", compute_plan_key=plan, sort="-tag")[0] == study.first.pk


def test_all_tasks_are_ordered_only_by_what_an_index_knows(session_of, alice, study):
    browser = session_of(alice)
    table = browser.get(reverse("tasks"), {"sort": "rank"}).context["table"]
    orderable = {column.name for column in table.columns if column.orderable}
    assert orderable == {"key", "creation_date"}
    assert "rank" not in str(table.data.data.query.order_by)


def test_exports(session_of, alice, study):
    browser = session_of(alice)
    query = {"export": "csv", "columns": "name,done_count,creator"}
    content = browser.get(reverse("compute-plans"), query).getvalue()
    # Excel reads a file without the mark as ANSI.
    assert content.startswith(b"\xef\xbb\xbfName,")
    content = content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content)))[1] == ["Study", "0", "alice"]
    query = {"export": "json", "rank": "1"}
    (row,) = json.loads(browser.get(reverse("tasks"), query).getvalue())
    assert row["key"] == str(study.second.pk)
    assert row["function"] == "Train"


def test_as_many_queries_for_two_as_for_twenty(
    session_of, alice, plan_of, django_assert_num_queries
):
    browser = session_of(alice)
    for count in (2, 20):
        plan_of(count)
        for number in range(count):
            make_plan(alice, name=f"plan {number}")
        for url_name in ("compute-plans", "tasks"):
            with django_assert_num_queries(LIST_QUERIES):
                browser.get(reverse(url_name))


@each_list
def test_nothing_yet(session_of, alice, url_name):
    html = session_of(alice).get(reverse(url_name)).content.decode()
    assert "yet</strong>" in html


def test_names_are_escaped(session_of, alice):
    make_plan(alice, name="<b>bold</b>", metadata={"<i>": "<u>"})
    html = session_of(alice).get(reverse("compute-plans"), {"columns": "name,metadata"})
    assert "<b>bold" not in html.content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html.content.decode()
