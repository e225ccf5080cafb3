import { getRouteApi, useRouter } from "@tanstack/react-router";
import { SignInForm } from "@/features/session/SignInForm";
import { localPath } from "@/lib/localPath";

const route = getRouteApi("/sign-in");

export default function SignIn() {
  const { next } = route.useSearch();
  const router = useRouter();
  return <SignInForm onDone={() => router.history.push(localPath(next))} />;
}
