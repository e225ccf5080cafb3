import { api, call } from "@/api/client";
import type { Assignment } from "@/api/types";
import type { DeskApi } from "./desk";

/** Decoded pictures of the photo beside, held so that the switch paints at once. */
const warmed = new Map<number, HTMLImageElement[]>();

function warm(assignment: Assignment): void {
  const pictures = assignment.captures.map((capture) => {
    const picture = new Image();
    picture.src = capture.images.display;
    void picture.decode().catch(() => undefined);
    return picture;
  });
  warmed.set(assignment.id, pictures);
  for (const id of [...warmed.keys()].slice(0, -3)) warmed.delete(id);
}

export const deskApi = (projectId: number): DeskApi => ({
  async next(exclude) {
    const assignment = await call(api.POST("/api/v1/projects/{id}/next", { params: { path: { id: projectId } }, body: { exclude } }));
    return (assignment as Assignment | undefined) ?? null;
  },
  async submit(id, body, key) {
    const { annotation } = await call(
      api.POST("/api/v1/assignments/{id}/submit", { params: { path: { id }, header: { "Idempotency-Key": key } }, body }),
    );
    return annotation;
  },
  skip: ({ id, token }, reason, detail) =>
    call(api.POST("/api/v1/assignments/{id}/skip", { params: { path: { id } }, body: { token, reason: reason as "other", ...(detail && { detail }) } })),
  release: ({ id, token }) => call(api.POST("/api/v1/assignments/{id}/release", { params: { path: { id } }, body: { token }, keepalive: true })),
  async withdraw(id) {
    const { assignment } = await call(api.POST("/api/v1/annotations/{id}/withdraw", { params: { path: { id } }, body: {} }));
    return assignment;
  },
  warm,
});
