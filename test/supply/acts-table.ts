/** The contracts' table of acts as the page of the supply chain shows it. */
import { ACTS, type ActRow } from '@salus/chaincode/supply/api';

const HEAD = ['act', 'from', 'to', 'who', 'roles', 'guards', 'fill', 'alert'];

/** Its lines in Markdown, head first. */
export function actsTable(): string[] {
  const rows = Object.entries<ActRow>(ACTS).map(([name, { from, to, who, roles, guards, fill = '', alerts }]) => {
    const suspicions = Object.entries(alerts).map(([code, kind]) => `${code}: ${kind}`);
    return [name, ...[from, [to], [who], roles, guards, [fill], suspicions].map((each) => each.join(', '))];
  });
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
