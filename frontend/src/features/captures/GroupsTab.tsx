import { Drawer } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { StateTag } from "@/components/stateTag";
import { useGroup, useGroups } from "./groups";
import styles from "./captures.module.css";

interface Props {
  site: number;
  open: number | undefined;
  onOpen: (group: number | undefined) => void;
  onCapture: (capture: number) => void;
}

/** Photos that hang together because they look nearly the same. */
export function GroupsTab({ site, open, onOpen, onCapture }: Props) {
  const { t } = useTranslation();
  const query = useGroups(site);
  const groups = flatten(query.data);
  return (
    <>
      {query.isPending && <RowsSkeleton rows={4} height={120} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && groups.length === 0 && <EmptyState title={t("captures.noGroups")}>{t("captures.noGroupsHint")}</EmptyState>}
      <ul className={styles.grid}>
        {groups.map((group) => (
          <li key={group.id}>
            <button type="button" className={styles.tile} data-testid={`group-${group.id}`} onClick={() => onOpen(group.id)}>
              <img src={group.images.thumb} alt={group.scene} loading="lazy" />
              <span className={styles.tileName}>{group.scene}</span>
              <span className={styles.tileTags}>
                <span className="tag dispute">{t("captures.groupSize", { count: group.scenes })}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <More query={query} />
      <Drawer opened={open !== undefined} onClose={() => onOpen(undefined)} position="right" size="xl" title={t("captures.group")} closeButtonProps={{ "aria-label": t("common.close") }}>
        {open !== undefined && <Group id={open} onCapture={onCapture} />}
      </Drawer>
    </>
  );
}

function Group({ id, onCapture }: { id: number; onCapture: (capture: number) => void }) {
  const { t } = useTranslation();
  const query = useGroup(id);
  if (query.isPending) return <RowsSkeleton rows={3} height={120} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <p className="dim">{t("captures.groupHint")}</p>
      <ul className={styles.grid}>
        {query.data.members.map((member) => (
          <li key={member.id} className={styles.member} data-testid="group-member">
            <button type="button" className={styles.tile} onClick={() => onCapture(member.id)}>
              <img src={member.images.thumb} alt={member.image_id} loading="lazy" />
              <span className={styles.tileName}>{member.image_id}</span>
            </button>
            <span className="dim">
              {t("captures.distance", { bits: member.distance })} · {member.width}×{member.height}
            </span>
            {member.tasks.map((task) => (
              <span key={`${task.id}-${task.project_id}`} className={styles.memberTask}>
                <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: task.project_id, taskId: task.id }}>
                  {task.project}
                </Link>
                {task.carried_over ? <span className="tag">{t("captures.carriedOver")}</span> : <StateTag state={task.state} />}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}
