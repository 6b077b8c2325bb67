/** What CloudFormation sends to a custom resource, and how it is answered: one PUT to a signed address, in time, whatever happened. */

export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  /** Signed; good for some hours. */
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
  readonly OldResourceProperties?: Readonly<Record<string, unknown>>;
}

export interface CustomResourceAnswer {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly physicalId: string;
  readonly reason?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Sends the body of an answer; rejects when it was not taken. */
export type PutAnswer = (url: string, body: string) => Promise<void>;

/** Bytes that CloudFormation takes of a whole answer. */
const LARGEST = 4_096;
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 250;

export async function answer(
  event: CustomResourceEvent,
  given: CustomResourceAnswer,
  { put, firstWaitMs = FIRST_WAIT_MS }: { readonly put: PutAnswer; readonly firstWaitMs?: number },
): Promise<void> {
  const body = answerBody(event, given);
  for (let attempt = 1; ; attempt++) {
    try {
      await put(event.ResponseURL, body);
      return;
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, firstWaitMs * 2 ** (attempt - 1)));
    }
  }
}

/** The reason is cut to what fits, at the end of a line where that is not far. */
export function answerBody(
  event: CustomResourceEvent,
  { status, physicalId, reason, data }: CustomResourceAnswer,
): string {
  const { StackId, RequestId, LogicalResourceId } = event;
  const bodyWith = (text: string | undefined): string =>
    JSON.stringify({
      Status: status,
      ...(text === undefined ? {} : { Reason: text }),
      PhysicalResourceId: physicalId,
      StackId,
      RequestId,
      LogicalResourceId,
      ...(data === undefined ? {} : { Data: data }),
    });
  const whole = bodyWith(reason);
  if (reason === undefined || Buffer.byteLength(whole) <= LARGEST) return whole;
  let low = 0;
  let high = reason.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (Buffer.byteLength(bodyWith(cut(reason, middle))) <= LARGEST) low = middle;
    else high = middle - 1;
  }
  return bodyWith(cut(reason, low));
}

function cut(text: string, length: number): string {
  const part = text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
  const line = part.lastIndexOf('\n');
  return `${line > length - 200 && line > 0 ? part.slice(0, line) : part}\n… and more: see the log`;
}

/** CloudFormation signs the request without a content type. */
export const putAnswer: PutAnswer = async (url, body) => {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': '' },
    body: new TextEncoder().encode(body),
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`CloudFormation answered ${response.status}`);
};
