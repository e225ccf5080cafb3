import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useCategories } from "@/api/categories";
import { asProblem } from "@/api/problem";
import type { Category, Limits, Member, Role } from "@/api/types";
import { Chips } from "@/components/Chips";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { fromServer, LANGUAGE_NAMES } from "@/lib/i18n";
import { LimitsDialog } from "./LimitsDialog";
import { useAddMember, useChangeMember, useMembers, useResetPassword } from "./members";
import styles from "./admin.module.css";

const ROLES: readonly Role[] = ["annotator", "reviewer", "admin"];

interface Secret {
  username: string;
  password: string;
}

function RolePicker({ roles, disabled, onChange, testId }: { roles: readonly Role[]; disabled?: boolean; onChange: (roles: Role[]) => void; testId: string }) {
  const { t } = useTranslation();
  // a role that people are not given here (a machine's) is shown where it is held
  const shown = [...ROLES, ...roles.filter((role) => !ROLES.includes(role))];
  return (
    <span className={styles.roles} role="group" aria-label={t("admin.roles")}>
      {shown.map((role) => (
        <button key={role} type="button" aria-pressed={roles.includes(role)} disabled={disabled} data-testid={`${testId}-${role}`} onClick={() => onChange(roles.includes(role) ? roles.filter((one) => one !== role) : [...roles, role])}>
          {t(`role.${role}`)}
        </button>
      ))}
    </span>
  );
}

function AddMember({ site, onSecret }: { site: number; onSecret: (secret: Secret) => void }) {
  const { t } = useTranslation();
  const add = useAddMember(site);
  const problemText = useProblemText();
  const [username, setUsername] = useState("");
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Role[]>(["annotator"]);
  const errors = add.isError ? asProblem(add.error).errors : [];
  const errorOf = (field: string) => errors.find((error) => error.field === field)?.message;
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(
          { username: username.trim(), display_name: name.trim(), roles },
          {
            onSuccess: (member) => {
              if (member.password) onSecret({ username: member.user.username, password: member.password });
              else notify({ tone: "agree", text: t("members.added", { name: member.user.display_name }) });
              setUsername("");
              setName("");
            },
          },
        );
      }}
    >
      <TextInput size="xs" label={t("signIn.username")} value={username} maxLength={64} error={errorOf("username")} onChange={(event) => setUsername(event.currentTarget.value)} data-testid="member-username" />
      <TextInput size="xs" label={t("members.displayName")} value={name} maxLength={64} error={errorOf("display_name")} onChange={(event) => setName(event.currentTarget.value)} data-testid="member-name" />
      <RolePicker roles={roles} onChange={setRoles} testId="new-role" />
      <Button type="submit" size="xs" disabled={!username.trim() || roles.length === 0} loading={add.isPending} data-testid="member-add">
        {t("members.add")}
      </Button>
      {add.isError && !errorOf("username") && !errorOf("display_name") && <span className="error">{problemText(add.error).detail}</span>}
    </form>
  );
}

const TAGS_SHOWN = 3;

/** What a person is handed, in small tags, and the way to change it. */
function LimitsCell({ site, member, limits, categories }: { site: number; member: Member; limits: Limits; categories: readonly Category[] }) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  const tags = [
    ...categories.filter((one) => limits.categories.includes(one.id)).map(({ name, path }) => ({ name, path })),
    ...limits.languages.map((language) => ({ name: LANGUAGE_NAMES[fromServer(language)], path: "" })),
  ];
  const rest = tags.slice(TAGS_SHOWN);
  return (
    <span className={styles.limits}>
      {tags.length === 0 && <span className="dim">{t("members.noLimits")}</span>}
      {tags.slice(0, TAGS_SHOWN).map(({ name, path }) => (
        <span key={path || name} className="tag" title={path || undefined}>
          {name}
        </span>
      ))}
      {rest.length > 0 && (
        <span className="tag" title={rest.map(({ name, path }) => path || name).join("\n")}>
          +{rest.length}
        </span>
      )}
      <Button size="compact-xs" variant="subtle" aria-label={`${t("members.change")} · ${t("members.limitsOf", { name: member.user.display_name })}`} onClick={() => setEditing(true)} data-testid={`${member.user.username}-limits`}>
        {t("members.change")}
      </Button>
      {editing && <LimitsDialog site={site} member={member} limits={limits} categories={categories} onClose={() => setEditing(false)} />}
    </span>
  );
}

function Row({ site, member, categories, onSecret }: { site: number; member: Member; categories: readonly Category[] | undefined; onSecret: (secret: Secret) => void }) {
  const { t } = useTranslation();
  const change = useChangeMember(site);
  const reset = useResetPassword(site);
  const problemText = useProblemText();
  const [asked, setAsked] = useState<"leave" | "reset" | null>(null);
  const { user } = member;
  const failed = change.error ?? reset.error;
  const busy = change.isPending || reset.isPending;
  const settle = { onSettled: () => setAsked(null) };
  return (
    <tr key={user.id} data-testid={`member-${user.username}`}>
      <td>
        {user.username} {member.service && <span className="tag">{t("members.service")}</span>} {!member.active && <span className="tag dispute">{t("members.inactive")}</span>}
      </td>
      <td>{user.display_name}</td>
      <td>
        <RolePicker
          roles={member.roles}
          disabled={busy || member.service}
          testId={`${user.username}-role`}
          onChange={(roles) => (roles.length === 0 ? setAsked("leave") : change.mutate({ id: user.id, roles }))}
        />
        {failed && (
          <div className="error" role="alert" data-testid={`${user.username}-error`}>
            {problemText(failed).detail}
          </div>
        )}
      </td>
      <td>{member.limits && !member.service && categories && <LimitsCell site={site} member={member} limits={member.limits} categories={categories} />}</td>
      <td className="num">
        {!member.service && (
          <span className={styles.memberActions}>
            {asked === "leave" && (
              <Button size="compact-xs" color="red" loading={busy} onClick={() => change.mutate({ id: user.id, roles: [] }, settle)} data-testid={`${user.username}-leave-sure`}>
                {t("members.leaveSure")}
              </Button>
            )}
            {asked === "reset" && (
              <Button size="compact-xs" loading={busy} onClick={() => reset.mutate(user.id, { ...settle, onSuccess: ({ password }) => onSecret({ username: user.username, password }) })} data-testid={`${user.username}-reset-sure`}>
                {t("members.resetSure")}
              </Button>
            )}
            {asked !== null && (
              <Button size="compact-xs" variant="subtle" onClick={() => setAsked(null)}>
                {t("common.cancel")}
              </Button>
            )}
            {asked === null && (
              <>
                {member.manageable && (
                  <>
                    <Button size="compact-xs" variant="default" onClick={() => setAsked("reset")} data-testid={`${user.username}-reset`}>
                      {t("members.reset")}
                    </Button>
                    <Button size="compact-xs" variant="default" loading={change.isPending} onClick={() => change.mutate({ id: user.id, active: !member.active })} data-testid={`${user.username}-active`}>
                      {t(member.active ? "members.deactivate" : "members.activate")}
                    </Button>
                  </>
                )}
                <Button size="compact-xs" variant="subtle" onClick={() => setAsked("leave")} data-testid={`${user.username}-leave`}>
                  {t("members.leave")}
                </Button>
              </>
            )}
          </span>
        )}
      </td>
    </tr>
  );
}

export function MembersTab({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useMembers(site);
  const categories = useCategories(site).data?.results;
  const [secret, setSecret] = useState<Secret | null>(null);
  const [search, setSearch] = useState("");
  const [role, setRole] = useState<Role | undefined>();
  const wanted = search.trim().toLowerCase();
  const members = query.data?.filter((one) => (role === undefined || one.roles.includes(role)) && `${one.user.username} ${one.user.display_name}`.toLowerCase().includes(wanted));
  return (
    <>
      <AddMember site={site} onSecret={setSecret} />
      {secret && (
        <div className={styles.secret} role="status">
          <span>{t("members.passwordOnce", { username: secret.username })}</span>
          <code data-testid="member-password">{secret.password}</code>
          <Button size="compact-xs" variant="default" onClick={() => void navigator.clipboard.writeText(secret.password)}>
            {t("common.copy")}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => setSecret(null)}>
            {t("common.dismiss")}
          </Button>
        </div>
      )}
      {query.isPending && <RowsSkeleton rows={4} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <EmptyState title={t("admin.noMembers")} />}
      {query.data && query.data.length > 0 && (
        <div className={styles.bar}>
          <Chips label={t("admin.roles")} value={role} onChange={setRole} options={[{ value: undefined, label: t("common.all"), count: query.data.length }, ...ROLES.map((value) => ({ value, label: t(`role.${value}`), testId: `members-${value}` }))]} />
          <span className="spacer" />
          <SearchInput value={search} onSearch={setSearch} label={t("columns.searchMembers")} testId="members-search" />
        </div>
      )}
      {members?.length === 0 && query.data && query.data.length > 0 && <EmptyState title={t("columns.nobody")}>{t("tasks.emptyFilter")}</EmptyState>}
      {members && members.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("signIn.username")}</th>
                <th>{t("admin.name")}</th>
                <th>{t("admin.roles")}</th>
                <th>{t("members.limits")}</th>
                <th className="num">{t("columns.actions")}</th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <Row key={member.user.id} site={site} member={member} categories={categories} onSecret={setSecret} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
