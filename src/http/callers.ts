/**
 * Who is calling: an agency by the public key of its client certificate, a person by a bearer session. Nothing else in a
 * request says who anyone is; forwarded and identity headers are not read.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { Deps } from '../actions/deps.ts'
import { identifyAccount, identifyAgency } from '../actions/identify-caller.ts'
import { Refusal } from '../core/errors.ts'
import type { Caller } from '../core/grants.ts'

/**
 * The caller of a request.
 *
 * @throws {Refusal} `certificate-missing` with one sentence for every reason.
 */
export async function callerOf(deps: Deps, request: FastifyRequest): Promise<Caller> {
  const from = request.ip
  const token = bearerOf(request.headers.authorization)
  const certificate = certificateOf(request)
  const caller = token
    ? await identifyAccount(deps, token, from)
    : certificate && (await identifyAgency(deps, spkiSha256Of(certificate), from))
  if (!caller) {
    throw new Refusal(
      'certificate-missing',
      'A session or a registered client certificate is needed.',
    )
  }
  return caller
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{43})$/.exec(header ?? '')?.[1]
}

/** The client certificate, if one came and its chain and dates hold. */
function certificateOf(request: FastifyRequest): X509Certificate | undefined {
  const socket = request.raw.socket as TLSSocket
  if (!socket.encrypted || !socket.authorized) return undefined
  return socket.getPeerX509Certificate()
}

function spkiSha256Of(certificate: X509Certificate): Buffer {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest()
}
