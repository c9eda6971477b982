/**
 * The only place with status codes for what goes wrong. Problems are RFC 9457: a stable `type`, a fixed sentence, where to
 * look, and never a value.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Refusal, type RefusalCode } from '../core/errors.ts'
import { isOutage } from '../core/outage.ts'

/** Each refusal's status and title. A new code compiles only when it has been decided here. */
const statuses = {
  'address-taken': [503, 'Service unavailable'],
  'already-exists': [409, 'Already exists'],
  'body-too-large': [413, 'Body too large'],
  'canary-mismatch': [422, 'Canary mismatch'],
  'certificate-missing': [401, 'Not authenticated'],
  'column-missing': [422, 'Column missing'],
  'column-unknown': [422, 'Column unknown'],
  'cosignatures-missing': [409, 'Cosignatures missing'],
  'credentials-wrong': [401, 'Not authenticated'],
  'delivery-incomplete': [422, 'Delivery incomplete'],
  'digest-differs': [422, 'Digest differs'],
  'disk-full': [503, 'Storage full'],
  'epoch-retired': [422, 'Linkage key retired'],
  'file-changed': [409, 'File changed'],
  'finding-missing': [409, 'Finding missing'],
  'grant-missing': [403, 'Not allowed'],
  'history-differs': [409, 'History differs'],
  'identifier-in-payload': [422, 'Identifier in payload'],
  'input-malformed': [400, 'Malformed'],
  'key-destroyed': [410, 'Key destroyed'],
  'key-not-canonical': [422, 'Key not canonical'],
  'keyring-refused': [503, 'Keyring refused'],
  'manifest-differs': [409, 'Manifest differs'],
  'media-type-unknown': [415, 'Media type not supported'],
  'not-found': [404, 'Not found'],
  'option-unknown': [400, 'Option unknown'],
  'outside-period': [403, 'Outside the period'],
  'own-act': [403, 'Own act'],
  'passphrase-wrong': [503, 'Keyring refused'],
  'policy-refused': [422, 'Policy refused'],
  'queue-refused': [503, 'Queue refused'],
  'range-unsatisfiable': [416, 'Range not satisfiable'],
  'schema-unknown': [503, 'Schema unknown'],
  'sealed-object-damaged': [503, 'Object damaged'],
  'signature-wrong': [422, 'Signature wrong'],
  'state-conflict': [409, 'State conflict'],
  'too-many-attempts': [429, 'Too many attempts'],
  'too-many-bad-rows': [422, 'Too many bad rows'],
  'wave-differs': [422, 'Wave differs'],
} as const satisfies Record<RefusalCode, readonly [number, string]>

/** RFC 9457 section 3. `detail` is a fixed sentence; `details` holds counts, positions and names of columns. */
export const problemSchema = z
  .object({
    type: z.string().describe('Stable: `urn:gyeol:problem:` and the code'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    instance: z.string().optional().describe('The request, as it is named in the log'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof problemSchema>

const retryAfterSeconds = 5
const issuesShownMax = 10

/** How long the rest of a body is read that nobody wants. */
const unwantedBodyMs = 30_000

/** Sends the problem that fits what was thrown. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error, request)
  if (problem.status === 503 || problem.status === 429) {
    reply.header('retry-after', String(retryAfterSeconds))
  }
  readOn(request)
  reply
    .removeHeader('connection')
    .code(problem.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({ ...problem, instance: request.id })
}

/**
 * Reads the rest of a body and forgets it: many a sender looks for an answer only when everything is sent, and would meet a
 * closed connection in its place.
 */
function readOn({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return
  const late = setTimeout(() => raw.socket.destroy(), unwantedBodyMs).unref()
  raw.once('close', () => clearTimeout(late)).resume()
}

/** The problem that a thrown thing is to its caller. */
function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Refusal) return refused(error.code, error.message, error.details)
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validation
      .slice(0, issuesShownMax)
      .map(({ instancePath }) => placeIn(instancePath))
    // Our own sentences about catalogues and the like. Zod's may repeat what the caller sent.
    const why = error.validation
      .filter((issue) => issue.keyword === 'custom')
      .slice(0, issuesShownMax)
      .map((issue) => issue.message)
    return refused(
      'input-malformed',
      'The request does not fit its schema. See the documentation.',
      {
        where: where.join(' '),
        ...(why.length > 0 && { why: why.join(' ') }),
        part: error.validationContext ?? 'body',
      },
    )
  }
  const status = statusOfFramework(error)
  if (status === 413) {
    return refused('body-too-large', 'The body is larger than this address takes.', {})
  }
  if (status !== undefined) return unread(status)
  request.log.error({ error: errorPlace(error) }, 'request failed')
  return isOutage(error)
    ? {
        type: 'urn:gyeol:problem:outage',
        title: 'Temporarily unavailable',
        status: 503,
        detail: 'A part of the service is away. Nothing was done. Try again.',
      }
    : {
        type: 'urn:gyeol:problem:defect',
        title: 'Internal error',
        status: 500,
        detail: 'The service made a mistake. Nothing was done. The log says where.',
      }
}

const nameInPath = /^(?:[A-Za-z_][A-Za-z0-9_-]{0,62}|[0-9]{1,7})$/

/** Where in a body something is: names and positions as they are, and a star for what reads as neither. */
function placeIn(path: string): string {
  const [, ...steps] = path.split('/')
  return `/${steps.map((step) => (nameInPath.test(step) ? step : '*')).join('/')}`
}

/** The problem of a request that was refused before it was read. */
export function unread(status: number): Problem {
  return {
    type: `urn:gyeol:problem:http-${status}`,
    title: titles[status] ?? 'Malformed',
    status,
    detail: 'The request was refused before it was read.',
  }
}

function refused(code: RefusalCode, detail: string, details: Refusal['details']): Problem {
  const [status, title] = statuses[code]
  const problem = { type: `urn:gyeol:problem:${code}`, title, status, detail }
  return Object.keys(details).length > 0 ? { ...problem, details } : problem
}

const titles: Record<number, string> = {
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  414: 'Address too long',
  415: 'Media type not supported',
  431: 'Headers too large',
}

/** The status that Fastify gave a request it refused by itself: a client's mistake, or undefined. */
function statusOfFramework(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode } = error
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? statusCode
    : undefined
}

/** Kind, driver's code and place of an error: never its message, which may hold a value. */
function errorPlace(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error ? ` ${String(error.code)}` : ''
  const place = /\n\s+at .*?([\w-]+\.ts:\d+)/.exec(error.stack ?? '')?.[1] ?? ''
  return `${error.name}${code} ${place}`.trim()
}
