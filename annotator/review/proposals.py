"""What the machine would decide of disputes, many in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from annotator.accounts.models import Project
from annotator.catalog.queries import skus_by_code
from annotator.labeling.answers import Answer
from annotator.labeling.models import Annotation, Task
from annotator.labeling.schemas import Schemas
from inference.captions import Value

from .settling import agreed_answer, catalog_record, catalog_values_on, parents_on


def propose(task: Task, answers: Sequence[Annotation]) -> tuple[Answer, list[str]]:
    """What standing answers would be decided as, were they no dispute; and the ties."""
    schemas = Schemas(task.project)
    given = [schemas.carry(answer.fields, answer.schema_version) for answer in answers]
    site_id = task.project.site_id
    return agreed_answer(task, answers, given, parents_on(site_id), catalog_values_on(site_id))


def proposals_for(
    project: Project, tasks: Sequence[Task], answers: Mapping[int, Sequence[Annotation]]
) -> dict[int, Answer]:
    """The same of many tasks of a project, by task; those without two answers have none."""
    schemas, parents = Schemas(project), parents_on(project.site_id)
    carried = {
        task.pk: [schemas.carry(a.fields, a.schema_version) for a in answers.get(task.pk, ())]
        for task in tasks
    }
    skus = [field.key for field in schemas.now.of_kind("sku")]
    codes = {
        str(one.fields.get(key, "")) for given in carried.values() for one in given for key in skus
    }
    known = skus_by_code(site_id=project.site_id, codes=codes)

    def catalog(code: str) -> Mapping[str, Value]:
        return catalog_record(known.get(code))

    found = {}
    for task in tasks:
        if len(given := carried[task.pk]) >= 2:
            task.project = project
            found[task.pk], _ = agreed_answer(task, answers[task.pk], given, parents, catalog)
    return found
