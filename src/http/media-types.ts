/**
 * The media type of a body is said once and exactly, or the body is not looked at. Fastify and its like compare loosely
 * (case, blanks, what follows), and what one of two parsers takes for JSON and the other does not is how checks are passed
 * by.
 */
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../core/errors.ts'

const json = ['application/json', 'application/json; charset=utf-8']

/**
 * Lets a request pass whose body, if it has one, is of a media type of its route.
 *
 * @throws {Refusal} `media-type-unknown` also for a coded body (gzip): a length says nothing about what is in it.
 */
export function requireMediaType(request: FastifyRequest): void {
  const { headers, rawHeaders } = request.raw
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  const said = valuesOf(rawHeaders, 'content-type')
  if (!hasBody && said.length === 0) return
  const known = request.routeOptions.schema?.consumes ?? json
  if (said.length !== 1 || !known.includes(said[0] ?? '')) {
    throw new Refusal(
      'media-type-unknown',
      'Say the media type of the body once and exactly as the documentation does.',
    )
  }
  if (valuesOf(rawHeaders, 'content-encoding').length > 0) {
    throw new Refusal('media-type-unknown', 'Send the body as it is, without a content coding.')
  }
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  )
}
