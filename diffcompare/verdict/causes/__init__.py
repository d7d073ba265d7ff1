"""Why a derivative is wrong."""
