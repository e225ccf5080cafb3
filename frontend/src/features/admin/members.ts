import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";

const membersQuery = (site: number) =>
  queryOptions({ queryKey: ["members", site], queryFn: () => call(api.GET("/api/v1/members", { params: { query: { site } } })) });

export const useMembers = (site: number) => useQuery(membersQuery(site));
