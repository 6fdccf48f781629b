export function signedOutDevices(devices: number): string {
  if (devices === 0) return "No devices were signed in.";
  return devices === 1 ? "1 device was signed out." : `${devices} devices were signed out.`;
}
