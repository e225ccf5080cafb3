import { QueryClient } from "@tanstack/react-query";
import { Problem } from "@/api/problem";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof Problem && error.retryable,
    },
    mutations: { retry: false },
  },
});
