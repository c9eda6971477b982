import type { FastifyReply } from 'fastify'

/** A page has its style inside and nothing else: no script, nothing from elsewhere, in no frame. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** Makes the answer one of HTML; the handler returns what this returns. */
export function pageAnswer(
  reply: Pick<FastifyReply, 'header' | 'type' | 'serializer'>,
  html: string,
): string {
  reply.header('content-security-policy', policy)
  reply.header('x-content-type-options', 'nosniff')
  reply.type('text/html; charset=utf-8')
  reply.serializer(String)
  return html
}
