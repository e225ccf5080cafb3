import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const tokensQuery = (site: number) =>
  queryOptions({ queryKey: ["tokens", site], queryFn: () => call(api.GET("/api/v1/tokens", { params: { query: { site } } })) });

export const useTokens = (site: number) => useQuery(tokensQuery(site));

export function useCreateToken(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => call(api.POST("/api/v1/tokens", { body: { site, name } })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery(site).queryKey }),
  });
}

export function useRevokeToken(site: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => call(api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokensQuery(site).queryKey }),
  });
}
