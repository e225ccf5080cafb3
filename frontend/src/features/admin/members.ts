import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Limits, Role } from "@/api/types";

const membersQuery = (site: number) =>
  queryOptions({ queryKey: ["members", site], queryFn: () => call(api.GET("/api/v1/members", { params: { query: { site } } })) });

export const useMembers = (site: number) => useQuery(membersQuery(site));

/** A mutation after which the list is read again, whether it went well or not. */
function useMemberMutation<Variables, T>(site: number, mutationFn: (variables: Variables) => Promise<T>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: membersQuery(site).queryKey }) });
}

export interface NewMember {
  username: string;
  display_name: string;
  roles: Role[];
}

export const useAddMember = (site: number) => useMemberMutation(site, (member: NewMember) => call(api.POST("/api/v1/members", { body: { site, ...member } })));

export const useChangeMember = (site: number) =>
  useMemberMutation(site, ({ id, ...changes }: { id: number; roles?: Role[]; active?: boolean }) =>
    call(api.PATCH("/api/v1/members/{user_id}", { params: { path: { user_id: id }, query: { site } }, body: changes })),
  );

export const useResetPassword = (site: number) =>
  useMemberMutation(site, (id: number) => call(api.POST("/api/v1/members/{user_id}/password", { params: { path: { user_id: id }, query: { site } } })));

export const useLimitMember = (site: number) =>
  useMemberMutation(site, ({ id, ...limits }: Limits & { id: number }) => call(api.PUT("/api/v1/members/{user_id}/limits", { params: { path: { user_id: id }, query: { site } }, body: limits })));
