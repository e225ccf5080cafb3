import { useTranslation } from "react-i18next";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";
import { useMembers } from "./members";

export function MembersTab({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useMembers(site);
  if (query.isPending) return <RowsSkeleton rows={4} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.data.length === 0) return <EmptyState title={t("admin.noMembers")} />;
  return (
    <div className="tableWrap">
      <table className="list">
        <thead>
          <tr>
            <th>{t("signIn.username")}</th>
            <th>{t("admin.name")}</th>
            <th>{t("admin.roles")}</th>
          </tr>
        </thead>
        <tbody>
          {query.data.map(({ user, roles }) => (
            <tr key={user.id} data-testid={`member-${user.username}`}>
              <td>{user.username}</td>
              <td>{user.display_name}</td>
              <td>
                {roles.map((role) => (
                  <span key={role} className="tag" style={{ marginRight: 4 }}>
                    {t(`role.${role}`)}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
