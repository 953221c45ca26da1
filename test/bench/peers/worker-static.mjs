/** A Worker that answers and does nothing else: what a decision in workerd can at best cost. */
export default { fetch: () => new Response(null, { status: 200 }) };
