/** Counts what a broker would make two orders of that does not look at ids: sent again while the first is there, or on its way. */
export function undeduplicated() {
  const there = new Set<string>();
  const twice: string[] = [];
  let posts = 0;
  return {
    async watch(request: Request, answer: () => Promise<Response>): Promise<Response> {
      if (request.method !== 'POST' || new URL(request.url).pathname !== '/v2/orders') return answer();
      const { client_order_id: id } = (await request.json()) as { client_order_id: string };
      posts += 1;
      if (there.has(id)) twice.push(id);
      there.add(id);
      const response = await answer();
      if (!response.ok) there.delete(id);
      return response;
    },
    posts: () => posts,
    twice: () => twice,
  };
}
