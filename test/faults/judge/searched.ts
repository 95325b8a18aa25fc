const PAGE = 1000;

/** All resources that a search finds, page after page. */
export async function searched<T>(query: string, token: string): Promise<T[]> {
  const found: T[] = [];
  for (let next: string | undefined = `${query}&_count=${PAGE}`; next !== undefined;) {
    const answer: Response = await fetch(next, { headers: { authorization: `Bearer ${token}` } });
    if (answer.status !== 200) throw new Error(`${next}: ${answer.status} ${await answer.text()}`);
    const page = (await answer.json()) as {
      entry?: { resource: T }[];
      link: { relation: string; url: string }[];
    };
    found.push(...(page.entry ?? []).map(({ resource }) => resource));
    next = page.link.find(({ relation }) => relation === 'next')?.url;
  }
  return found;
}
