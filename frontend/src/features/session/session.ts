import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Role, User } from "@/api/types";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => call(api.GET("/api/v1/session")),
  staleTime: Infinity,
});

/** The signed-in person; only for pages behind the sign-in. */
export function useMe(): User {
  const { data } = useSuspenseQuery(sessionQuery);
  if (!data.user) throw new Error("not signed in");
  return data.user;
}

export function rolesAt(user: User, siteId: number | undefined): Set<Role> {
  const roles = new Set(user.memberships.find((membership) => membership.site.id === siteId)?.roles);
  if (user.is_superuser) (["annotator", "reviewer", "admin"] as const).forEach((role) => roles.add(role));
  return roles;
}
