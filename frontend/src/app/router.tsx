import { createRootRoute, createRoute, createRouter, lazyRouteComponent, notFound, redirect } from "@tanstack/react-router";
import { sessionQuery } from "@/features/session/session";
import { queryClient } from "./queryClient";
import { NotFound, RouteError, RoutePending } from "./fallbacks";
import { Shell } from "./Shell";

function integer(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw notFound();
  return Number(value);
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const rootRoute = createRootRoute({ notFoundComponent: NotFound, errorComponent: RouteError });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("@/routes/signIn")),
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queryClient.query({ ...sessionQuery, staleTime: "static" });
    if (!session.authenticated) throw redirect({ to: "/sign-in", search: { next: location.href } });
  },
});

const homeRoute = createRoute({ getParentRoute: () => shellRoute, path: "/", component: lazyRouteComponent(() => import("@/routes/home")) });

const projectRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/p/$projectId",
  params: {
    parse: (raw: { projectId: string }) => ({ projectId: integer(raw.projectId) }),
    stringify: (params: { projectId: number }) => ({ projectId: String(params.projectId) }),
  },
});

const siteRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/s/$siteId",
  params: {
    parse: (raw: { siteId: string }) => ({ siteId: integer(raw.siteId) }),
    stringify: (params: { siteId: number }) => ({ siteId: String(params.siteId) }),
  },
});

const taskParams = {
  parse: (raw: { taskId: string }) => ({ taskId: integer(raw.taskId) }),
  stringify: (params: { taskId: number }) => ({ taskId: String(params.taskId) }),
};

const labelRoute = createRoute({ getParentRoute: () => projectRoute, path: "label", component: lazyRouteComponent(() => import("@/routes/projectLabel")) });
const reviewRoute = createRoute({ getParentRoute: () => projectRoute, path: "review", component: lazyRouteComponent(() => import("@/routes/projectReview")) });
const reviewTaskRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "review/$taskId",
  params: taskParams,
  component: lazyRouteComponent(() => import("@/routes/projectReviewTask")),
});
const tasksRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "tasks",
  validateSearch: (search: Record<string, unknown>): { state?: string; search?: string; sku?: string } => ({
    state: text(search.state),
    search: text(search.search),
    sku: text(search.sku),
  }),
  component: lazyRouteComponent(() => import("@/routes/projectTasks")),
});
const taskRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "tasks/$taskId",
  params: taskParams,
  component: lazyRouteComponent(() => import("@/routes/projectTask")),
});
const qualityRoute = createRoute({ getParentRoute: () => projectRoute, path: "quality", component: lazyRouteComponent(() => import("@/routes/projectQuality")) });

const capturesRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "captures",
  validateSearch: (search: Record<string, unknown>): { tab?: "quarantine"; search?: string; cam?: string; duplicate?: boolean; capture?: number } => ({
    tab: search.tab === "quarantine" ? "quarantine" : undefined,
    search: text(search.search),
    cam: text(search.cam),
    duplicate: typeof search.duplicate === "boolean" ? search.duplicate : undefined,
    capture: typeof search.capture === "number" ? search.capture : undefined,
  }),
  component: lazyRouteComponent(() => import("@/routes/siteCaptures")),
});
const catalogRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "catalog",
  validateSearch: (search: Record<string, unknown>): { search?: string; category?: number; sku?: number } => ({
    search: text(search.search),
    category: typeof search.category === "number" ? search.category : undefined,
    sku: typeof search.sku === "number" ? search.sku : undefined,
  }),
  component: lazyRouteComponent(() => import("@/routes/siteCatalog")),
});
const adminRoute = createRoute({
  getParentRoute: () => siteRoute,
  path: "admin",
  validateSearch: (search: Record<string, unknown>): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("@/routes/siteAdmin")),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    homeRoute,
    projectRoute.addChildren([labelRoute, reviewRoute, reviewTaskRoute, tasksRoute, taskRoute, qualityRoute]),
    siteRoute.addChildren([capturesRoute, catalogRoute, adminRoute]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  defaultPendingComponent: RoutePending,
  defaultErrorComponent: RouteError,
  defaultNotFoundComponent: NotFound,
  defaultPendingMs: 200,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
