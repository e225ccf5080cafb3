import { useMutation } from "@tanstack/react-query";
import { api, call } from "@/api/client";

export function useSignOut() {
  return useMutation({
    mutationFn: () => call(api.DELETE("/api/v1/session")),
    // a fresh page forgets everything the last person saw
    onSuccess: () => window.location.assign("/sign-in"),
  });
}
