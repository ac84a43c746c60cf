/**
 * An error answer of EC2. The codes are those of
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export class Ec2Error extends Error {
  override readonly name = 'Ec2Error';
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function invalidValue(message: string): Ec2Error {
  return new Ec2Error('InvalidParameterValue', message);
}

export function invalidCombination(message: string): Ec2Error {
  return new Ec2Error('InvalidParameterCombination', message);
}

export function snapshotNotFound(snapshotId: string): Ec2Error {
  return new Ec2Error('InvalidSnapshot.NotFound', `The snapshot '${snapshotId}' does not exist.`);
}

export function volumeNotFound(volumeId: string): Ec2Error {
  return new Ec2Error('InvalidVolume.NotFound', `The volume '${volumeId}' does not exist.`);
}

export function incorrectState(message: string): Ec2Error {
  return new Ec2Error('IncorrectState', message);
}

export function notPermitted(message: string): Ec2Error {
  return new Ec2Error('OperationNotPermitted', message);
}
