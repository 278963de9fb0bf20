/**
 * The closed list of error codes, and the one table from code to HTTP status (contract: status codes).
 *
 * A status is the diagnosis: Flux throws the bodies of failed answers away and shows its user the number only.
 */

export const STATUS_OF = Object.freeze({
  malformed_request: 400,
  validation_error: 400,
  /** A patch looks like a secret. Its value stands in no answer and no log. */
  secret_suspected: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  in_use: 409,
  /** The write would take something away from a cluster, and nobody has confirmed that plan. */
  prune_guard: 409,
  /** The policies want somebody else to approve this plan first. */
  approval_required: 409,
  /** If-Match names another version than the one that is there. */
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  misdirected_request: 421,
  precondition_required: 428,
  rate_limited: 429,
  headers_too_large: 431,
  /** The number nginx made common for a refused client certificate; no token is looked at after it. */
  certificate_rejected: 495,
  /** Also the answer to a fault of our own: a Flux route answers truthfully or not at all. */
  unavailable: 503,
} as const);

export type ErrorCode = keyof typeof STATUS_OF;

/** One field that is wrong: `field` is a JSON pointer or a parameter's name, `problem` says what it should be. */
export interface ErrorDetail {
  readonly field: string;
  readonly problem: string;
}

export interface FluxgateErrorOptions {
  /** For the answer's `details`: each names a field of the sender's own request. */
  readonly details?: readonly ErrorDetail[];
  /** For the answers of `prune_guard` and `approval_required`: what the write would do, in the form of openapi.yaml's PlanSummary. */
  readonly plan?: object;
  /** For the log only: what an outsider must not learn (whether an object exists, which rule refused). */
  readonly logged?: string;
  /** Extra response headers, e.g. `allow` of a 405. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** The only error that the gateway answers with; `message` is for outsiders, `logged` and `cause` for the log. */
export class FluxgateError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly plan: object | undefined;
  readonly logged: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, options: FluxgateErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FluxgateError';
    this.code = code;
    this.details = options.details;
    this.plan = options.plan;
    this.logged = options.logged;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}

/** Something that must be right before the gateway may start (or reload): one clear line, no stack. */
export class StartupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StartupError';
  }
}
