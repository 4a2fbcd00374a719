// A dialog that asks once more before something that cannot be taken back.
import type { ComponentChildren } from 'preact';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

type ConfirmDialogProps = {
  title: string;
  open: boolean;
  /** On the button that does it, and on the one that does not. */
  yes: string;
  no: string;
  onYes: () => void;
  onNo: () => void;
  children: ComponentChildren;
  /** Of the button that does it. */
  'data-testid'?: string;
};

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, open, yes, no, onYes, onNo, children, ...rest } = props;
  return (
    <Dialog
      title={title}
      open={open}
      onClose={onNo}
      actions={
        <>
          <Button onClick={onNo}>{no}</Button>
          <Button data-testid="confirm-yes" {...rest} look="danger" onClick={onYes}>
            {yes}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
