package platform // want: platform
