import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { sessionQuery } from "./session";

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: { username: string; password: string }) => call(api.POST("/api/v1/session", { body: credentials })),
    onSuccess: (session) => client.setQueryData(sessionQuery.queryKey, session),
  });
}
