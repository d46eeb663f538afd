import type { PageData } from "../session";
import { CallPage } from "./CallPage";
import { Lobby } from "./Lobby";
import { ProblemScreen } from "./Screens";

export function App({ page }: { page: PageData }) {
  if (page.problem) return <ProblemScreen name={page.name} problem={page.problem} />;
  if (page.session) return <CallPage name={page.name} session={page.session} />;
  return <Lobby name={page.name} />;
}
