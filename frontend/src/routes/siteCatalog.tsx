import { getRouteApi } from "@tanstack/react-router";
import { CatalogPage } from "@/features/catalog/CatalogPage";
import { rolesAt, useMe } from "@/features/session/session";

const route = getRouteApi("/shell/s/$siteId/catalog");

export default function SiteCatalog() {
  const { siteId } = route.useParams();
  const view = route.useSearch();
  const navigate = route.useNavigate();
  const me = useMe();
  return <CatalogPage key={siteId} site={siteId} view={view} mayEdit={rolesAt(me, siteId).has("admin")} onView={(search) => void navigate({ search })} />;
}
