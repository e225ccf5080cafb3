import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { countsOf } from "@/features/projects/counts";
import type { Project, TaskState } from "@/api/types";
import { Chips } from "@/components/Chips";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { StateTag, UrgentTag } from "@/components/stateTag";
import { dateTime, integer } from "@/lib/format";
import { useTasks, type TaskFilter } from "./tasks";

export const TASK_STATES: readonly TaskState[] = ["new", "ready", "labeling", "disputed", "decided", "rejected"];

interface Props {
  project: Project;
  filter: TaskFilter;
  onFilter: (filter: TaskFilter) => void;
}

export function TasksPage({ project, filter, onFilter }: Props) {
  const { t, i18n } = useTranslation();
  const counts = countsOf(project);
  const query = useTasks(project.id, filter);
  const tasks = flatten(query.data);
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("tasks.title")}</h1>
        <span className="dim">{t("tasks.total", { count: counts.total, shown: integer(counts.total, i18n.language) })}</span>
        <span className="spacer" />
        <SearchInput value={filter.search ?? ""} onSearch={(search) => onFilter({ ...filter, search: search || undefined })} label={t("tasks.search")} testId="tasks-search" />
      </div>
      <div className="pageHead">
        <Chips<TaskState>
          label={t("tasks.state")}
          value={filter.state}
          onChange={(state) => onFilter({ ...filter, state })}
          options={[
            { value: undefined, label: t("common.all"), count: counts.total },
            ...TASK_STATES.map((state) => ({ value: state, label: t(`taskState.${state}`), count: counts[state], testId: `tasks-state-${state}` })),
          ]}
        />
      </div>
      <div className="panel">
        {query.isPending && <RowsSkeleton />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && tasks.length === 0 && <EmptyState title={t("tasks.empty")}>{filter.state || filter.search ? t("tasks.emptyFilter") : t("tasks.emptyHint")}</EmptyState>}
        {tasks.length > 0 && (
          <div className="tableWrap">
            <table className="list">
              <thead>
                <tr>
                  <th>{t("review.photo")}</th>
                  <th>{t("review.task")}</th>
                  <th>{t("tasks.state")}</th>
                  <th>{t("tasks.caption")}</th>
                  <th>{t("tasks.source")}</th>
                  <th className="num">{t("tasks.annotations")}</th>
                  <th className="num">{t("tasks.decidedAt")}</th>
                </tr>
              </thead>
              <tbody>
                {tasks.map((task) => (
                  <tr key={task.id} data-testid={`task-row-${task.id}`}>
                    <td>{task.thumb ? <img className="thumb" src={task.thumb} alt="" loading="lazy" /> : <span className="thumb" />}</td>
                    <td>
                      <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: project.id, taskId: task.id }}>
                        #{task.id}
                      </Link>{" "}
                      {task.priority === "urgent" && <UrgentTag />}
                    </td>
                    <td>
                      <StateTag state={task.state} />
                    </td>
                    <td>{task.caption ?? <span className="dim">–</span>}</td>
                    <td>{task.source ? t(`source.${task.source}`) : <span className="dim">–</span>}</td>
                    <td className="num">
                      {task.annotation_count ?? "–"} / {project.overlap}
                    </td>
                    <td className="num dim">{dateTime(task.decided_at, i18n.language)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <More query={query} />
      </div>
    </div>
  );
}
