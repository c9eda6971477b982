/**
 * Outages: something of ours is away, full, slow or closed to us: PostgreSQL, the queue, a disk, a keyring. Nothing is
 * wrong with what was asked, and the same may go well later. So a caller is told to come again, and a job waits.
 */
import { Refusal } from './errors.ts'

/** What no driver tells: an outage that is noticed by what is missing. */
export class Outage extends Error {
  constructor(sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'Outage'
  }
}

/** Of the system: connections; disks that are full, broken, read-only or closed to this user; no room. */
const systemCodes =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENOSPC|EDQUOT|EROFS|EIO|EACCES|EPERM|ENODEV|ESTALE|EMFILE|ENFILE|ENOMEM)/

/**
 * Of PostgreSQL (appendix A of its manual), by class: 08 connections, 53 resources, a full disk among them, 57 a server
 * that stops or has no time, 58 its disks; a lock that did not come, transactions undone, a server that may only be read.
 */
const databaseCodes = /^(08|53|57|58|55P03|40001|40P01|25006)/

/** What `pg` says without a code. */
const driverSentences = /Connection terminated|timeout exceeded when trying|Query read timeout/

/** Refusals that are about our own places and not about what somebody sent. */
const ownRefusals: ReadonlySet<string> = new Set(['disk-full', 'keyring-refused'])

/** True for an outage, whoever threw it. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof Outage) return true
  if (error instanceof Refusal) return ownRefusals.has(error.code)
  const code = 'code' in error ? String(error.code) : ''
  return systemCodes.test(code) || databaseCodes.test(code) || driverSentences.test(error.message)
}
